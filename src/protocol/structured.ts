import { levelNumber } from './levels.ts';

/** A line that was a JSON object: what every logger means, and the fields it added. */
export interface Structured {
  readonly level: number | undefined;
  /** Milliseconds since the epoch. */
  readonly time: number | undefined;
  readonly msg: string | undefined;
  readonly rest: Readonly<Record<string, unknown>>;
}

/** A service's own JSON line (pino, bunyan, winston, jsonlog), or undefined where the text is not one object. */
export function readStructured(text: string): Structured | undefined {
  if (!text.startsWith('{') || !text.trimEnd().endsWith('}')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const rest: Record<string, unknown> = Object.assign(Object.create(null), value);
  const level = takeFirst(rest, ['level', 'severity', 'error_severity'], levelNumber);
  const time = takeFirst(rest, ['time', 'timestamp', '@timestamp'], readTime);
  const msg = takeFirst(rest, ['msg', 'message'], (value) => (typeof value === 'string' ? value : undefined));
  return { level, time, msg, rest };
}

/** Takes the first key that can be read out of the fields; one that cannot be read stays there as it is. */
function takeFirst<T>(
  fields: Record<string, unknown>,
  keys: readonly string[],
  read: (value: unknown) => T | undefined,
): T | undefined {
  for (const key of keys) {
    const value = read(fields[key]);
    if (value === undefined) continue;
    delete fields[key];
    return value;
  }
  return undefined;
}

function readTime(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  if (typeof value !== 'string') return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}
