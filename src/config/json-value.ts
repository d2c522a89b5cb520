/** A value of the plan as the JSON that a job gets as its data. */
import { type Shape, wrong } from './shape.ts';
import type { Value } from './tree.ts';

/** What the queue takes, in bytes of JSON. */
const LARGEST_DATA = 64 * 1024;

/** Any value; a plain `3`, `true` or `null` is one of JSON. What is known only at start cannot stand in it. */
export const jsonValue: Shape<{ readonly json: unknown }> = {
  read(value, path, reading) {
    if (value.kind === 'scalar' && value.text === '' && value.plain) return undefined;
    const late = findLate(value);
    if (late !== undefined) {
      return reading.problems.error(
        late.place,
        'late-value',
        `${path} cannot hold what is known only at start`,
        { note: 'late values may stand in command, environment and healthcheck' },
      );
    }
    const json = toJson(value);
    const bytes = Buffer.byteLength(JSON.stringify(json));
    return bytes > LARGEST_DATA ? wrong(value, path, 'at most 64 KB of JSON', reading) : { json };
  },
  schema: {},
};

function toJson(value: Value): unknown {
  if (value.kind === 'list') return value.items.map(toJson);
  if (value.kind === 'map') {
    return Object.fromEntries([...value.entries].map(([name, entry]) => [name, toJson(entry.value)]));
  }
  if (value.empty) return null;
  const text = String(value.text);
  if (!value.plain) return text;
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text) ? Number(text) : text;
}

function findLate(value: Value): Value | undefined {
  if (value.kind === 'scalar') return typeof value.text === 'string' ? undefined : value;
  const parts = value.kind === 'list' ? value.items : [...value.entries.values()].map((entry) => entry.value);
  return parts.map(findLate).find((found) => found !== undefined);
}
