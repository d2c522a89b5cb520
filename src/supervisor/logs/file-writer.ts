import type { Clock } from '../../base/clock.ts';
import { BlockQueue } from './block-queue.ts';
import type { LogFile } from './ports.ts';

/** From here on the service waits for its file … */
const BEHIND = 1024 * 1024;
/** … until this little is left. */
const CAUGHT_UP = 256 * 1024;
/** What a file that cannot be written may hold back; then the oldest lines go. */
const LIMIT = 4 * 1024 * 1024;
/** A disk that hangs stops nobody for longer than this. */
const LONGEST_WAIT = 5000;
const RETRY_AFTER = 30_000;
const NEWLINE = 0x0a;

export interface FileEvents {
  /** The service should wait: its file is behind. */
  behind(): void;
  caughtUp(): void;
  /** Said once, until it is well again. */
  failed(error: Error): void;
  recovered(lost: number): void;
  /** The stored form of "N lines are missing here". */
  missingLine(lines: number): Buffer;
}

/** Carries one service's lines to its file: one write at a time, bounded, patient with a broken disk. */
export class FileWriter {
  readonly queue = new BlockQueue(LIMIT);
  private readonly file: LogFile;
  private readonly clock: Clock;
  private readonly events: FileEvents;
  private writing = false;
  private failing = false;
  private wantsReopen = false;
  /** The last write ended inside a line. */
  private midLine = false;
  /** Of the last write: the lines of another day stand in another file. */
  private day = 0;
  /** Lines dropped before it failed. */
  private droppedBefore = 0;
  private disarmRetry: (() => void) | undefined;
  private disarmWait: (() => void) | undefined;
  /** Lines that have reached the file since the start, and the writes that failed. */
  written = 0;
  failures = 0;
  private readonly settled: (() => void)[] = [];

  constructor(file: LogFile, clock: Clock, events: FileEvents) {
    this.file = file;
    this.clock = clock;
    this.events = events;
  }

  /** It cannot be written, or hangs: the service no longer waits for it, and lines may be lost. */
  get isFailing(): boolean {
    return this.failing;
  }

  /** Writes what is queued, if nothing is on its way already. */
  kick(): void {
    if (!this.writing && !this.disarmRetry) this.writeNext();
    if (this.queue.bytes <= BEHIND || this.failing || this.disarmWait) return;
    this.events.behind();
    this.disarmWait = this.clock.after(LONGEST_WAIT, () => {
      this.fail(new Error(`a write has not ended after ${LONGEST_WAIT / 1000} s`));
    });
  }

  /** Opens the path anew before the next line: the file was moved away. */
  reopen(): void {
    this.wantsReopen = true;
    this.retryNow();
  }

  /** Resolves when all is written, or when a last try failed; then the file is closed. */
  async close(): Promise<void> {
    this.retryNow();
    while (this.writing) await new Promise<void>((resolve) => this.settled.push(resolve));
    this.disarmRetry?.();
    this.disarmRetry = undefined;
    this.stopWaiting();
    await this.file.release();
  }

  private retryNow(): void {
    this.disarmRetry?.();
    this.disarmRetry = undefined;
    this.kick();
  }

  private writeNext(): void {
    if (this.wantsReopen) {
      this.wantsReopen = false;
      this.writing = true;
      void this.file.release().then(() => {
        this.writing = false;
        this.writeNext();
      });
      return;
    }
    const block = this.queue.take();
    if (!block) {
      for (const resolve of this.settled.splice(0)) resolve();
      return;
    }
    if (block.day !== this.day) this.midLine = false;
    this.day = block.day;
    const missing = this.queue.takeMissing();
    const bytes = this.withGapSaid(missing, block.bytes.subarray(0, block.used), block.continues);
    this.writing = true;
    this.file.append(bytes, block.day, (error, written) => {
      this.writing = false;
      if (written > 0) this.midLine = bytes[written - 1] !== NEWLINE;
      if (error) {
        const rest = Buffer.from(bytes.subarray(written));
        const left = countLines(rest);
        this.written += Math.max(0, block.lines - left);
        this.failures += 1;
        this.queue.putBack(rest, left, this.midLine, block.day);
        this.disarmRetry = this.clock.after(RETRY_AFTER, () => this.retryNow());
        this.fail(error);
        for (const resolve of this.settled.splice(0)) resolve();
        return;
      }
      this.written += block.lines;
      this.queue.recycle(block);
      this.succeed();
      this.writeNext();
    });
  }

  /** The block, preceded by what must be said of a gap before it. */
  private withGapSaid(missing: number, bytes: Buffer, continues: boolean): Buffer {
    const torn = this.midLine && !continues;
    if (missing === 0 && !torn) return bytes;
    const gap = missing > 0 ? this.events.missingLine(missing) : Buffer.alloc(0);
    return Buffer.concat([Buffer.from(torn ? '\n' : ''), gap, bytes]);
  }

  private fail(error: Error): void {
    this.stopWaiting();
    if (this.failing) return;
    this.failing = true;
    this.droppedBefore = this.queue.dropped;
    this.events.failed(error);
  }

  private succeed(): void {
    if (this.queue.bytes < CAUGHT_UP) this.stopWaiting();
    if (!this.failing) return;
    this.failing = false;
    this.events.recovered(this.queue.dropped - this.droppedBefore);
  }

  private stopWaiting(): void {
    if (!this.disarmWait) return;
    this.disarmWait();
    this.disarmWait = undefined;
    this.events.caughtUp();
  }
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (const byte of bytes) if (byte === NEWLINE) lines += 1;
  return lines;
}
