import { isUtf8 } from 'node:buffer';
import type { LogFormat } from '../../config/plan.ts';
import type { LogLine } from '../../protocol/control.ts';
import { levelWord } from '../../protocol/levels.ts';
import { shortJobId } from '../../protocol/stored-line.ts';
import { readStructured, type Structured } from '../../protocol/structured.ts';
import type { BlockQueue } from './block-queue.ts';
import { addLines, type LinePrefix, linePrefix } from './line-prefix.ts';
import { readPostgresLine } from './postgres-line.ts';
import { makePrintable } from './printable.ts';
import { type JobMark, type Origin, RECORD_SHAPES } from './record-shapes.ts';
import { CONTROLS, GOES_ON, HIGH } from './split-lines.ts';
import { isPrintableAscii } from './whole-lines.ts';

/** How lines look on standard output. */
export interface Look {
  readonly format: LogFormat;
  readonly colour: boolean;
  /** On a terminal the date is known; elsewhere the whole time stands before a line. */
  readonly shortTime: boolean;
  /** Columns of the service's name; it may grow while services come. */
  readonly nameWidth: () => number;
}

/** One of our own lines, or a service's, that is built from parts and not copied. */
export interface Parts {
  readonly level: number;
  readonly msg: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const OPEN_BRACE = 0x7b;
/** Quote, backslash and tab, in JSON. */
const MUST_BE_ESCAPED = [0x22, 0x5c, 0x09];
const COLOURS = [36, 32, 33, 35, 34, 96, 92, 93, 95, 94];
const TEXT_END = Buffer.from('\n');
/** The run that `database:` in a plan brings; no service of such a plan can be called so. */
const DATABASE = 'database';
/** Stands for the message, where nothing else can be it. */
const MESSAGE = '{message}';
const CUT = 'line longer than 64 KiB, cut here; the file has all of it';

/** Encodes the lines of one stream of one service for standard output; plain lines are copied, never decoded. */
export class Renderer {
  private readonly look: Look;
  private readonly origin: Origin;
  private readonly shape: (typeof RECORD_SHAPES)[keyof typeof RECORD_SHAPES] | undefined;
  /** Its lines are to become records. */
  private readonly ofPostgres: boolean;
  private end = TEXT_END;
  private readonly rawUpTo: number;
  private now = -1;
  private prefix = Buffer.alloc(0);
  private runPrefix: LinePrefix | undefined;

  constructor(look: Look, service: string, stream: LogLine['stream'], pid?: number, job?: JobMark) {
    this.look = look;
    this.origin = { service, stream, pid, job };
    this.shape = look.format === 'text' ? undefined : RECORD_SHAPES[look.format];
    // What may be copied as it is: JSON needs quotes escaped, text needs control characters harmless.
    this.rawUpTo = this.shape ? 0 : 1;
    // People read PostgreSQL's lines as they are.
    this.ofPostgres = this.shape !== undefined && service === DATABASE;
  }

  /** The time of the lines to come, in ms since the epoch. */
  at(now: number): void {
    if (now === this.now) return;
    this.now = now;
    this.runPrefix = undefined;
    const [before, after] = this.shape ? this.recordParts() : [this.textPrefix(), '\n'];
    this.prefix = Buffer.from(before);
    this.end = Buffer.from(after);
  }

  line(queue: BlockQueue, bytes: Buffer, start: number, end: number, content: number, part: number): void {
    const raw =
      content <= this.rawUpTo || (content === HIGH && this.shape && isUtf8(bytes.subarray(start, end)));
    if (!raw || part & GOES_ON || bytes[start] === OPEN_BRACE || this.ofPostgres) {
      queue.addLine(this.encode(bytes.toString('utf8', start, end), content, (part & GOES_ON) !== 0));
      return;
    }
    const { prefix } = this;
    const block = queue.room(prefix.length + end - start + this.end.length);
    const target = block.bytes;
    target.set(prefix, block.used);
    let at = block.used + prefix.length;
    at += bytes.copy(target, at, start, end);
    target.set(this.end, at);
    block.used = at + this.end.length;
    block.lines += 1;
  }

  /** Whether the lines of a run, none of them a record, may be copied as they are. */
  takesRun(bytes: Buffer): boolean {
    if (this.ofPostgres) return false;
    if (this.shape && MUST_BE_ESCAPED.some((byte) => bytes.includes(byte))) return false;
    return isPrintableAscii(bytes);
  }

  /** A run that `takesRun` has allowed, without its last newline. */
  run(queue: BlockQueue, text: string): void {
    this.runPrefix ??= linePrefix(this.prefix.toString(), this.end.toString());
    addLines(queue, text, this.runPrefix);
  }

  /** Level, message and fields as one line of text, without time and name. */
  sentence({ level, msg, fields }: Parts): string {
    return this.describe(level, msg, fields);
  }

  /** A line built from parts, newline included. */
  parts({ level, msg, fields }: Parts): Buffer {
    if (!this.shape) return Buffer.from(`${this.prefixText()}${this.describe(level, msg, fields)}\n`);
    return this.record({ level, time: undefined, msg, rest: fields }, false);
  }

  private encode(decoded: string, content: number, cut: boolean): Buffer {
    const text = decoded.endsWith('\r') ? decoded.slice(0, -1) : decoded;
    const structured = cut ? undefined : readStructured(text);
    if (this.shape) {
      const told = structured ?? (this.ofPostgres && !cut ? readPostgresLine(text) : undefined);
      return this.record(told ?? { level: undefined, time: undefined, msg: text, rest: {} }, cut);
    }
    let shown = text;
    if (structured?.msg !== undefined)
      shown = this.describe(structured.level, structured.msg, structured.rest);
    else if (content & (CONTROLS | HIGH)) shown = makePrintable(text, this.look.colour);
    return Buffer.from(`${this.prefixText()}${shown}${cut ? ` … [${CUT}]` : ''}\n`);
  }

  private record(line: Structured, cut: boolean): Buffer {
    return Buffer.from(`${stringify(this.shape?.(this.origin, line, this.now, cut))}\n`);
  }

  private describe(
    level: number | undefined,
    msg: string,
    fields: Readonly<Record<string, unknown>>,
  ): string {
    const word = level === undefined ? '' : `${this.paintLevel(level)} `;
    const shown = Object.entries(fields)
      .filter(([key, value]) => value !== undefined && key !== 'pid' && key !== 'hostname' && key !== 'name')
      .map(([key, value]) => ` ${makePrintable(key, false)}=${makePrintable(showValue(value), false)}`);
    return word + makePrintable(msg, this.look.colour) + this.paint(2, shown.join(''));
  }

  private paintLevel(level: number): string {
    const word = levelWord(level).padEnd(5);
    return level >= 50 ? this.paint(31, word) : level >= 40 ? this.paint(33, word) : word;
  }

  private paint(code: number, text: string): string {
    return this.look.colour && text !== '' ? `\x1b[${code}m${text}\x1b[0m` : text;
  }

  private prefixText(): string {
    return this.shape ? '' : this.prefix.toString();
  }

  private textPrefix(): string {
    const time = new Date(this.now);
    const shown = this.look.shortTime ? time.toTimeString().slice(0, 8) : time.toISOString();
    const { service, job } = this.origin;
    const whole = job === undefined ? service : `${service} ${shortJobId(job.id)}`;
    const name = whole.padEnd(this.look.nameWidth());
    return `${this.paint(2, shown)} ${this.paint(colourOf(service), name)} | `;
  }

  /** What stands before and behind the message of a plain line. */
  private recordParts(): readonly [string, string] {
    const line = { level: undefined, time: undefined, msg: MESSAGE, rest: {} };
    const [before = '', after = ''] = stringify(this.shape?.(this.origin, line, this.now, false)).split(
      MESSAGE,
    );
    return [before, `${after}\n`];
  }
}

/** The same colour for the same name, in every run and on every machine. */
function colourOf(service: string): number {
  let hash = 0;
  for (const character of service) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return COLOURS[hash % COLOURS.length] ?? 36;
}

function showValue(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : stringify(value);
}

/** JSON of anything: what cannot be written as JSON (cycles, bigints, great depth) is named instead of thrown. */
function stringify(value: unknown): string {
  try {
    return JSON.stringify(value, replaceErrors) ?? 'null';
  } catch (error) {
    return JSON.stringify({ unwritable: String(error) });
  }
}

function replaceErrors(_key: string, value: unknown): unknown {
  if (value instanceof Error) return { type: value.name, message: value.message, stack: value.stack };
  return typeof value === 'bigint' ? String(value) : value;
}
