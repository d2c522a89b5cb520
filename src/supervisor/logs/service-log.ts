import type { Clock } from '../../base/clock.ts';
import type { LogLine } from '../../protocol/control.ts';
import { stampOf } from '../../protocol/stored-line.ts';
import type { Block } from './block-queue.ts';
import { FileWriter } from './file-writer.ts';
import type { Listeners } from './listeners.ts';
import type { OutputWriter } from './output-writer.ts';
import type { LogFile, OutputPipe } from './ports.ts';
import { type Look, Renderer } from './render.ts';
import { CONTINUES, CONTROLS, GOES_ON, LineSplitter } from './split-lines.ts';
import { Tail } from './tail.ts';

/** A prompt without a newline is shown after this much silence. */
const SILENCE = 1000;

export interface Surroundings {
  readonly clock: Clock;
  readonly look: Look;
  readonly output: OutputWriter;
  readonly listeners: Listeners;
  /** What is said of a service's file: level, sentence, fields. */
  say(level: 'info' | 'warn', msg: string, fields: Readonly<Record<string, unknown>>): void;
}

interface Source {
  readonly stream: 'stdout' | 'stderr';
  readonly generation: number;
  readonly pid: number | undefined;
}

/** All that is kept of one service over its generations: its file, its last lines, its open pipes. */
export class ServiceLog {
  readonly name: string;
  readonly tail = new Tail();
  readonly file: FileWriter;
  private readonly around: Surroundings;
  private readonly pipes = new Set<OutputPipe>();
  private isBehind = false;

  constructor(name: string, file: LogFile, around: Surroundings) {
    this.name = name;
    this.around = around;
    this.file = new FileWriter(file, around.clock, {
      behind: () => this.hold(true),
      caughtUp: () => this.hold(false),
      failed: (error) =>
        around.say('warn', `cannot write the log file of ${name}: ${error.message}`, {
          consequence: 'its lines go to standard output only; trying again every 30 s',
        }),
      recovered: (lost) => around.say('info', `the log file of ${name} is written again`, { lost }),
      missingLine: (lines) => Buffer.from(`${this.stamp('note', false)}bulkhead: ${missing(lines)}\n`),
    });
  }

  /** Reads one stream to its end; resolves when the last of its lines has been handed on. */
  read(
    pipe: OutputPipe,
    stream: Source['stream'],
    generation: number,
    pid: number | undefined,
  ): Promise<void> {
    const intake = new Intake(this, this.around, { stream, generation, pid });
    this.pipes.add(pipe);
    return new Promise((resolve) => {
      pipe.read(
        (chunk) => intake.take(chunk),
        () => {
          this.pipes.delete(pipe);
          intake.end();
          resolve();
        },
      );
      if (this.isBehind) pipe.pause();
    });
  }

  /**
   * A dead service no longer waits for its file: what is still in its pipe would be lost at the deadline. It is
   * little (a pipe's size), and if it were not, the queue counts what it drops.
   */
  hurry(pipe: OutputPipe): void {
    if (this.pipes.delete(pipe) && this.isBehind) pipe.resume();
  }

  /** The stored form of a line of ours about this service. */
  store(text: string): void {
    const line = Buffer.from(`${this.stamp('note', false)}${text.replaceAll('\n', '\\n')}\n`);
    this.file.queue.addLine(line);
    this.tail.add(line, 0, line.length);
    this.file.kick();
  }

  private stamp(stream: LogLine['stream'], partial: boolean): string {
    return stampOf(new Date(this.around.clock.now()).toISOString(), stream, partial);
  }

  private hold(behind: boolean): void {
    this.isBehind = behind;
    for (const pipe of this.pipes) behind ? pipe.pause() : pipe.resume();
  }
}

/** One stream of one generation: bytes in, lines out to the file, to standard output and to who listens. */
class Intake {
  private readonly log: ServiceLog;
  private readonly around: Surroundings;
  private readonly source: Source;
  private readonly renderer: Renderer;
  private readonly splitter: LineSplitter;
  private readonly fullStamp: Buffer;
  private readonly partStamp: Buffer;
  private now = -1;
  private time = '';
  private listened = false;
  private silenced = false;
  private lastChunk = 0;
  private disarm: (() => void) | undefined;
  private block: Block | undefined;
  private blockFrom = 0;

  constructor(log: ServiceLog, around: Surroundings, source: Source) {
    const { stream, pid } = source;
    this.log = log;
    this.around = around;
    this.source = source;
    this.renderer = new Renderer(around.look, log.name, stream, pid);
    this.splitter = new LineSplitter((bytes, start, end, content, part) => {
      this.line(bytes, start, end, content, part);
    });
    this.fullStamp = Buffer.from(stampOf(new Date(0).toISOString(), stream, false));
    this.partStamp = Buffer.from(stampOf(new Date(0).toISOString(), stream, true));
  }

  take(chunk: Buffer): void {
    this.begin();
    this.splitter.push(chunk);
    this.finish();
    if (this.splitter.holds && !this.disarm) this.watchSilence(SILENCE);
  }

  end(): void {
    this.disarm?.();
    this.disarm = undefined;
    this.begin();
    this.splitter.flush(false);
    this.finish();
  }

  private begin(): void {
    const now = this.around.clock.now();
    this.lastChunk = this.around.clock.mono();
    this.listened = this.around.listeners.wants(this.log.name);
    if (now === this.now) return;
    this.now = now;
    this.time = new Date(now).toISOString();
    this.fullStamp.write(this.time, 'latin1');
    this.partStamp.write(this.time, 'latin1');
    this.renderer.at(now);
  }

  private finish(): void {
    this.remember();
    this.log.file.kick();
    this.around.output.kick();
  }

  private line(bytes: Buffer, start: number, end: number, content: number, part: number): void {
    this.storeLine(bytes, start, end, content, part);
    const outputWants = !(part & CONTINUES) || this.silenced;
    const shownPart = this.silenced ? 0 : part;
    if (outputWants) this.renderer.line(this.around.output.queue, bytes, start, end, content, shownPart);
    if (!(part & GOES_ON)) this.silenced = false;
    if (!this.listened) return;
    const line = bytes.toString('utf8', start, bytes[end - 1] === 0x0d ? end - 1 : end);
    const { stream, generation } = this.source;
    this.around.listeners.tell({ time: this.time, service: this.log.name, stream, line }, generation);
  }

  private storeLine(bytes: Buffer, start: number, end: number, content: number, part: number): void {
    const stamp = part & GOES_ON ? this.partStamp : this.fullStamp;
    if (content & CONTROLS && bytes.subarray(start, end).includes(0)) {
      // One NUL would make grep call the whole file binary.
      const harmless = Buffer.from(bytes.toString('latin1', start, end).replaceAll('\0', '\\x00'), 'latin1');
      this.storeLine(harmless, 0, harmless.length, 0, part);
      return;
    }
    const block = this.log.file.queue.room(stamp.length + end - start + 1);
    if (block !== this.block) {
      this.remember();
      this.block = block;
      this.blockFrom = block.used;
    }
    const target = block.bytes;
    target.set(stamp, block.used);
    let at = block.used + stamp.length;
    at += bytes.copy(target, at, start, end);
    target[at] = 0x0a;
    block.used = at + 1;
    block.lines += 1;
  }

  /** One copy per chunk into the memory of last lines, instead of one per line. */
  private remember(): void {
    if (this.block) this.log.tail.add(this.block.bytes, this.blockFrom, this.block.used);
    this.block = undefined;
  }

  private watchSilence(after: number): void {
    this.disarm = this.around.clock.after(after, () => {
      this.disarm = undefined;
      if (!this.splitter.holds) return;
      const left = this.lastChunk + SILENCE - this.around.clock.mono();
      if (left > 0) return this.watchSilence(left);
      this.begin();
      this.silenced = true;
      this.splitter.flush(true);
      this.finish();
    });
  }
}

export function missing(lines: number): string {
  return `dropped ${lines} line${lines === 1 ? '' : 's'}`;
}
