import { dayOf } from '../../base/log-names.ts';
import type { LogLine } from '../../protocol/control.ts';
import { stampOf } from '../../protocol/stored-line.ts';
import { FileWriter } from './file-writer.ts';
import { Intake, type Source } from './intake.ts';
import type { Flow } from './loud-services.ts';
import type { LogFile, OutputPipe } from './ports.ts';
import type { JobMark } from './record-shapes.ts';
import type { Surroundings } from './surroundings.ts';
import { Tail } from './tail.ts';

/** All that is kept of one service over its generations: its file, its last lines, its open pipes. */
export class ServiceLog {
  readonly name: string;
  readonly tail = new Tail();
  readonly file: FileWriter;
  readonly flow: Flow;
  private readonly around: Surroundings;
  /** Those that wait for the file, and of them those that wait where the service is too loud. */
  private readonly pipes = new Set<OutputPipe>();
  private readonly paced = new Set<OutputPipe>();
  private readonly intakes = new Map<OutputPipe, Intake>();
  private isBehind = false;
  private isResting = false;
  /** Lines its file had missed when somebody asked last. */
  private lostBefore = 0;

  constructor(name: string, file: LogFile, around: Surroundings) {
    this.name = name;
    this.around = around;
    this.file = new FileWriter(file, around.clock, {
      behind: () => this.hold(true),
      caughtUp: () => this.hold(false),
      failed: (error) => {
        around.say('warn', `cannot write the log file of ${name}: ${error.message}`, {
          consequence: 'its lines go to standard output only; trying again every 30 s',
        });
        around.fileTold({ service: name, cause: error.message });
      },
      recovered: (lost) => {
        around.say('info', `the log file of ${name} is written again`, { lost });
        around.fileTold({ service: name, cause: undefined });
      },
      missingLine: (lines) => Buffer.from(`${this.stamp('note', false)}bulkhead: ${missing(lines)}\n`),
    });
    this.flow = around.loud.open(name, () => !this.file.isFailing);
  }

  /** Reads one stream to its end; resolves when the last of its lines has been handed on. */
  read(
    pipe: OutputPipe,
    stream: Source['stream'],
    generation: number,
    pid: number | undefined,
    job?: JobMark,
  ): Promise<void> {
    const intake = new Intake(this, this.around, { stream, generation, pid, job });
    this.intakes.set(pipe, intake);
    this.pipes.add(pipe);
    this.paced.add(pipe);
    return new Promise((resolve) => {
      pipe.read(
        (chunk) => {
          intake.take(chunk);
          this.took(pipe, chunk.length);
        },
        () => {
          this.pipes.delete(pipe);
          this.paced.delete(pipe);
          this.intakes.delete(pipe);
          intake.end();
          resolve();
        },
      );
      if (this.isBehind || this.isResting) pipe.pause();
    });
  }

  /** However loud it is: it is being stopped or has died, and has no time to wait. */
  rush(pipe: OutputPipe): void {
    this.intakes.get(pipe)?.rush();
    if (this.paced.delete(pipe) && this.isResting && !(this.isBehind && this.pipes.has(pipe))) pipe.resume();
  }

  /**
   * A dead service no longer waits for its file: what is still in its pipe would be lost at the deadline. It is
   * little (a pipe's size), and if it were not, the queue counts what it drops.
   */
  hurry(pipe: OutputPipe): void {
    this.rush(pipe);
    if (this.pipes.delete(pipe) && this.isBehind) pipe.resume();
  }

  /** The stored form of a line of ours about this service. */
  store(text: string): void {
    const line = Buffer.from(`${this.stamp('note', false)}${text.replaceAll('\n', '\\n')}\n`);
    this.file.queue.day = dayOf(this.around.clock.now());
    this.file.queue.addLine(line);
    this.tail.add(line, 0, line.length);
    this.file.kick();
  }

  /** Whether its file may lack lines that came since this was asked last. */
  missesLines(): boolean {
    const before = this.lostBefore;
    this.lostBefore = this.file.queue.dropped;
    return this.file.isFailing || this.lostBefore > before;
  }

  private stamp(stream: LogLine['stream'], partial: boolean): string {
    return stampOf(new Date(this.around.clock.now()).toISOString(), stream, partial);
  }

  private hold(behind: boolean): void {
    this.isBehind = behind;
    for (const pipe of this.pipes) {
      if (this.isResting && this.paced.has(pipe)) continue;
      behind ? pipe.pause() : pipe.resume();
    }
  }

  private took(pipe: OutputPipe, bytes: number): void {
    const { flow } = this;
    const ms = this.around.loud.took(flow, bytes, this.paced.has(pipe));
    if (ms <= 0 || this.isResting) return;
    flow.heldMs += ms;
    this.rest(true);
    this.around.clock.after(ms, () => this.rest(false));
  }

  private rest(isResting: boolean): void {
    this.isResting = isResting;
    if (this.isBehind) return;
    for (const pipe of this.paced) isResting ? pipe.pause() : pipe.resume();
  }
}

export function missing(lines: number): string {
  return `dropped ${countOf(lines)}`;
}

export function countOf(lines: number): string {
  return `${lines} line${lines === 1 ? '' : 's'}`;
}
