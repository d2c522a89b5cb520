/**
 * The reading end of a child's stdout or stderr.
 *
 * While the child is quiet the pipe sits in the event loop and costs nothing. A child that writes line by line would
 * wake us for each line; so once the events come fast, we leave the event loop and take large gulps at a small pace:
 * the lines pile up in the pipe meanwhile, which is what a pipe is for. Memory is bounded by one buffer for all pipes,
 * and a pipe nobody reads makes the kernel stop the writer.
 */
import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import { codeOf } from '../base/errors.ts';
import { setPipeSize } from './libc.ts';

export interface OutputPipe {
  /** Starts reading. A chunk is valid only during the call: its memory is shared by all pipes. Called once. */
  read(onChunk: (chunk: Buffer) => void, onEnd: () => void): void;
  /** Stops reading; the kernel then stops the writer when the pipe is full. */
  pause(): void;
  resume(): void;
  /** After the leader's death: reads on until the end or for `ms`, whichever is first, then closes and ends. */
  closeWithin(ms: number): void;
}

const QUIET_BYTES = 64 * 1024;
const GULP_BYTES = 256 * 1024;
const BUSY_PIPE_BYTES = 1024 * 1024;
const QUIET_PIPE_BYTES = 64 * 1024;
/** So many wake-ups within the window make a pipe busy. */
const BUSY_EVENTS = 8;
const BUSY_WINDOW_MS = 10;
/** So much in one gulp: the pipe was nearly full and the writer about to wait for us, so there is no pause. */
const WRITER_WAITS_BYTES = 512 * 1024;
const SHORTEST_PACE_MS = 1;
const LONGEST_PACE_MS = 8;

let quietBuffer: Buffer | undefined;
let gulpBuffer: Buffer | undefined;

/** Takes over the descriptor: it is closed at the end. */
export function openOutputPipe(fd: number): OutputPipe {
  return new PacedPipe(fd);
}

class PacedPipe implements OutputPipe {
  private readonly fd: number;
  private socket: Socket | undefined;
  private onChunk: (chunk: Buffer) => void = () => undefined;
  private onEnd: () => void = () => undefined;
  private busy = false;
  private paused = false;
  private ended = false;
  private windowStart = 0;
  private events = 0;
  private pace = SHORTEST_PACE_MS;
  private gulping: NodeJS.Timeout | undefined;
  private again: NodeJS.Immediate | undefined;
  private closing: NodeJS.Timeout | undefined;

  constructor(fd: number) {
    this.fd = fd;
    // Made at once: a descriptor that only a number knows would never be closed if nobody came to read.
    quietBuffer ??= Buffer.allocUnsafeSlow(QUIET_BYTES);
    const buffer = quietBuffer;
    this.socket = new Socket({
      fd,
      readable: true,
      writable: false,
      onread: { buffer, callback: (length) => this.takeEvent(buffer.subarray(0, length)) },
    });
    this.socket.on('end', () => this.finish());
    this.socket.on('error', () => this.finish());
    this.socket.pause();
  }

  read(onChunk: (chunk: Buffer) => void, onEnd: () => void): void {
    this.onChunk = onChunk;
    this.onEnd = onEnd;
    if (!this.paused) this.socket?.resume();
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    clearTimeout(this.gulping);
    clearImmediate(this.again);
    this.socket?.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (this.ended) return;
    if (this.busy) this.gulpSoon();
    else this.socket?.resume();
  }

  closeWithin(ms: number): void {
    if (this.ended || this.closing) return;
    // Usually everything is there already and the end behind it.
    if (!this.paused) {
      this.busy = true;
      this.socket?.pause();
      this.gulpSoon();
    }
    this.closing = setTimeout(() => {
      if (!this.paused) this.gulp();
      this.finish();
    }, ms);
  }

  private takeEvent(chunk: Buffer): boolean {
    this.onChunk(chunk);
    if (this.ended || this.paused || this.busy) return false;
    const now = performance.now();
    if (now - this.windowStart > BUSY_WINDOW_MS) {
      this.windowStart = now;
      this.events = 0;
    }
    this.events += 1;
    if (this.events < BUSY_EVENTS) return true;
    this.becomeBusy();
    return false;
  }

  private becomeBusy(): void {
    this.busy = true;
    this.pace = SHORTEST_PACE_MS;
    this.socket?.pause();
    setPipeSize(this.fd, BUSY_PIPE_BYTES);
    this.scheduleGulp(this.pace);
  }

  private becomeQuiet(): void {
    this.busy = false;
    this.events = 0;
    // A user may have 64 MB of pipes; what is idle gives its share back.
    setPipeSize(this.fd, QUIET_PIPE_BYTES);
    this.socket?.resume();
  }

  private scheduleGulp(delay: number): void {
    clearTimeout(this.gulping);
    clearImmediate(this.again);
    this.gulping = setTimeout(() => this.runGulp(), delay);
  }

  /** In this turn of the loop: a timer of 0 is one of 1 ms, which is 1 MB a writer might have written. */
  private gulpSoon(): void {
    clearTimeout(this.gulping);
    clearImmediate(this.again);
    this.again = setImmediate(() => this.runGulp());
  }

  private runGulp(): void {
    const taken = this.gulp();
    if (this.ended || this.paused) return;
    if (taken === 0) {
      this.becomeQuiet();
      return;
    }
    if (taken >= WRITER_WAITS_BYTES) {
      this.gulpSoon();
      return;
    }
    this.pace = taken < GULP_BYTES / 8 ? Math.min(this.pace * 2, LONGEST_PACE_MS) : SHORTEST_PACE_MS;
    this.scheduleGulp(this.pace);
  }

  /** Empties the pipe, at most its own size, so that one loud child cannot keep the loop. Returns the bytes taken. */
  private gulp(): number {
    gulpBuffer ??= Buffer.allocUnsafeSlow(GULP_BYTES);
    let taken = 0;
    while (taken < BUSY_PIPE_BYTES && !this.ended && !this.paused) {
      let length: number;
      try {
        length = readSync(this.fd, gulpBuffer, 0, GULP_BYTES, null);
      } catch (error) {
        if (codeOf(error) !== 'EAGAIN') this.finish();
        return taken;
      }
      if (length === 0) {
        this.finish();
        return taken;
      }
      taken += length;
      this.onChunk(gulpBuffer.subarray(0, length));
      // Less than asked for: empty by now. Asking again would only cost an exception.
      if (length < GULP_BYTES) return taken;
    }
    return taken;
  }

  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.gulping);
    clearImmediate(this.again);
    clearTimeout(this.closing);
    this.socket?.destroy();
    this.socket = undefined;
    const { onEnd } = this;
    this.onChunk = () => undefined;
    onEnd();
  }
}
