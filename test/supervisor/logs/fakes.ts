import { type Attachment, type Logs, type LogsOptions, openLogs } from '../../../src/supervisor/logs/logs.ts';
import type { LogFile, Output, OutputPipe } from '../../../src/supervisor/logs/ports.ts';
import { type ManualClock, manualClock } from '../../support/clock.ts';

/** A pipe whose chunks come from the test; its buffer is reused, as a real reader's may be. */
class FakePipe implements OutputPipe {
  paused = 0;
  resumed = 0;
  closing: number | undefined;
  private onChunk: (chunk: Buffer) => void = () => {};
  private onEnd: () => void = () => {};
  private readonly memory = Buffer.alloc(1 << 20);

  read(onChunk: (chunk: Buffer) => void, onEnd: () => void): void {
    this.onChunk = onChunk;
    this.onEnd = onEnd;
  }

  pause(): void {
    this.paused += 1;
  }

  resume(): void {
    this.resumed += 1;
  }

  closeWithin(ms: number): void {
    this.closing = ms;
  }

  send(data: string | Buffer): void {
    const bytes = Buffer.from(data);
    bytes.copy(this.memory);
    this.onChunk(this.memory.subarray(0, bytes.length));
    this.memory.fill('#', 0, bytes.length);
  }

  end(): void {
    this.onEnd();
  }
}

/** Keeps what is written; `hold` keeps the next writes waiting until `letGo`, `error` makes them fail. */
class FakeSink implements LogFile, Output {
  isTerminal = false;
  isDiscarded = false;
  text = '';
  error: Error | undefined;
  /** Bytes of the failing write that make it all the same. */
  short = 0;
  holding = false;
  released = 0;
  private held: (() => void) | undefined;

  append(bytes: Uint8Array, day: number, done: (error: Error | undefined, written: number) => void): void {
    if (this.holding) {
      this.held = () => this.append(bytes, day, done);
      return;
    }
    const { error } = this;
    const taken = error ? bytes.subarray(0, this.short) : bytes;
    this.text += Buffer.from(taken).toString();
    this.short = 0;
    queueMicrotask(() => done(error, taken.length));
  }

  write(bytes: Uint8Array, done: (error: Error | undefined) => void): void {
    this.append(bytes, 0, done);
  }

  letGo(): void {
    this.holding = false;
    const { held } = this;
    this.held = undefined;
    held?.();
  }

  async release(): Promise<void> {
    this.released += 1;
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }
}

export interface Fixture {
  logs: Logs;
  clock: ManualClock;
  output: FakeSink;
  files: Map<string, FakeSink>;
  /** Attaches the first generation of a service. */
  attach(
    service: string,
    generation?: number,
    job?: { id: string; attempt: number },
  ): Attachment & { stdout: FakePipe; stderr: FakePipe };
  file(service: string): FakeSink;
}

export function openFixture(options: Partial<LogsOptions> = {}): Fixture {
  const clock = manualClock();
  const output = new FakeSink();
  const files = new Map<string, FakeSink>();
  const file = (service: string): FakeSink => {
    const existing = files.get(service) ?? new FakeSink();
    files.set(service, existing);
    return existing;
  };
  const logs = openLogs({
    clock,
    output,
    openFile: file,
    openEnds: () => (service, bytes) => {
      const text = files.get(service)?.text;
      return text === undefined ? undefined : Buffer.from(text).subarray(-bytes);
    },
    level: 'info',
    format: 'text',
    colour: false,
    services: ['app'],
    pid: 1,
    ...options,
  });
  return {
    logs,
    clock,
    output,
    files,
    file,
    attach: (service, generation = 1, job) => {
      const pipes = { stdout: new FakePipe(), stderr: new FakePipe() };
      return { ...pipes, ...logs.attach(service, generation, pipes, undefined, job) };
    },
  };
}

/** Lets everything that is not waiting for time or for the outside run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
