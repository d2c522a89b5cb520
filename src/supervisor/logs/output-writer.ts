import type { Clock } from '../../base/clock.ts';
import { codeOf } from '../../base/errors.ts';
import { BlockQueue } from './block-queue.ts';
import type { Output } from './ports.ts';

const LIMIT = 4 * 1024 * 1024;
/** What is missing is said at once, then their sum so often: of a flood it would be said many times a second. */
const SAID_EVERY_MS = 10_000;

/** Nobody will ever read it again: the other end of the pipe or terminal is gone. */
const GONE: ReadonlySet<string | undefined> = new Set(['EPIPE', 'EIO', 'EBADF', 'ENOTCONN', 'ECONNRESET']);

export interface OutputEvents {
  /** Standard output is gone for good. */
  gone(error: Error): void;
  /** What stands for lines that were dropped and for lines that were hidden, as standard output shows it. */
  missingLines(dropped: number, hidden: number): Buffer;
}

/** Carries all lines to standard output, one write at a time. Whoever does not read it makes nobody wait. */
export class OutputWriter {
  readonly queue = new BlockQueue(LIMIT);
  private readonly output: Output;
  private readonly events: OutputEvents;
  private writing = false;
  private isGone = false;
  /** Lines that were not shown on purpose, since it was said last. */
  private hidden = 0;
  private isClosing = false;
  /** Armed while what is missing was said a moment ago. */
  private disarm: (() => void) | undefined;
  private readonly clock: Clock;
  private readonly settled: (() => void)[] = [];

  constructor(output: Output, clock: Clock, events: OutputEvents) {
    this.output = output;
    this.clock = clock;
    this.events = events;
  }

  /** False: whatever is written there is for nobody, so nothing needs to be made. */
  get isShown(): boolean {
    return !this.output.isDiscarded;
  }

  /** Counts lines that the files have, and that are not shown: they are not lost. */
  hide(lines: number): void {
    this.hidden += lines;
  }

  kick(): void {
    if (!this.writing) this.writeNext();
  }

  /** Resolves when all is written; never, if nobody reads it: the caller sets the limit. */
  async close(): Promise<void> {
    this.isClosing = true;
    this.disarm?.();
    this.disarm = undefined;
    this.kick();
    while (this.writing) await new Promise<void>((resolve) => this.settled.push(resolve));
  }

  private writeNext(): void {
    const gap = this.isGone || this.disarm ? undefined : this.sayMissing();
    const block = this.queue.take();
    if (!block && !gap) {
      for (const resolve of this.settled.splice(0)) resolve();
      return;
    }
    const lines = block?.lines ?? 0;
    if (this.isGone) {
      this.queue.countLost(lines);
      if (block) this.queue.recycle(block);
      this.queue.takeMissing();
      return;
    }
    const held = block ? block.bytes.subarray(0, block.used) : Buffer.alloc(0);
    this.writing = true;
    this.output.write(gap ? Buffer.concat([gap, held]) : held, (error) => {
      this.writing = false;
      if (block) this.queue.recycle(block);
      if (error) this.fail(error, lines);
      else this.writeNext();
    });
  }

  /** What stands for the lines that were dropped since it was said last; undefined: none were. */
  private sayMissing(): Buffer | undefined {
    const dropped = this.queue.takeMissing();
    const { hidden } = this;
    this.hidden = 0;
    if (dropped + hidden === 0) return undefined;
    if (!this.isClosing) {
      this.disarm = this.clock.after(SAID_EVERY_MS, () => {
        this.disarm = undefined;
        this.kick();
      });
    }
    return this.events.missingLines(dropped, hidden);
  }

  private fail(error: Error, lines: number): void {
    this.queue.countLost(lines);
    if (GONE.has(codeOf(error))) {
      this.isGone = true;
      this.events.gone(error);
    }
    for (const resolve of this.settled.splice(0)) resolve();
  }
}
