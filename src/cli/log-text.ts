import { styleText } from 'node:util';
import type { LogLine } from '../protocol/control.ts';
import { levelWord } from '../protocol/levels.ts';
import { readStructured } from '../protocol/structured.ts';
import { tameLine } from './terminal.ts';

/** Red and yellow stay free for what is wrong. */
const SERVICE_COLORS = [
  'cyan',
  'green',
  'magenta',
  'blue',
  'cyanBright',
  'greenBright',
  'magentaBright',
  'blueBright',
] as const;

export interface LinePrinterOptions {
  readonly color: boolean;
  readonly prefix: boolean;
  readonly timestamps: boolean;
  /** The services that were asked for, whose names set the width; empty: it grows as names come. */
  readonly names: readonly string[];
}

/** Turns log lines into text; names are padded so that lines start in one column. */
export function createLinePrinter(options: LinePrinterOptions): (line: LogLine) => string {
  let width = Math.max(0, ...options.names.map(({ length }) => length));
  return ({ time, service, stream, job, line }) => {
    const whole = job === undefined ? service : `${service} ${job}`;
    width = Math.max(width, whole.length);
    const text = describeRecord(line) ?? tameLine(line, options.color);
    const body = stream === 'note' ? `[${text}]` : text;
    const stamp = options.timestamps ? `${time} ` : '';
    if (!options.prefix) return stamp + body;
    const name = `${whole.padEnd(width)} |`;
    const painted = options.color ? styleText(colorOf(service), name, { validateStream: false }) : name;
    return `${stamp}${painted} ${body}`;
  };
}

/** A line that is a JSON record (pino and the like) as the live output shows it; undefined where it is none. */
export function describeRecord(line: string): string | undefined {
  const record = readStructured(line);
  if (record?.msg === undefined) return undefined;
  const word = record.level === undefined ? '' : `${levelWord(record.level).padEnd(5)} `;
  const fields = Object.entries(record.rest)
    .filter(([key]) => !OF_THE_PROCESS.has(key))
    .map(([key, value]) => ` ${key}=${showValue(value)}`);
  return tameLine(word + record.msg + fields.join(''));
}

const OF_THE_PROCESS: ReadonlySet<string> = new Set(['pid', 'hostname', 'name']);

function showValue(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

/** The same service has the same colour in every terminal. */
function colorOf(service: string): (typeof SERVICE_COLORS)[number] {
  let hash = 0;
  for (const character of service) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return SERVICE_COLORS[hash % SERVICE_COLORS.length] ?? 'cyan';
}
