/**
 * Figures of a program that stays and measures again and again, as long as somebody wants them: a process for each
 * measurement cost ten times what it found out.
 */
import type { RunOutput } from '../protocol/control.ts';
import type { Measures } from '../protocol/metrics.ts';

export interface MeasuringPorts {
  /** Starts the program; an abort ends it. */
  begin(signal: AbortSignal): AsyncIterable<RunOutput>;
  /** ms of a clock that only goes on */
  now(): number;
  /** Calls `run` once after `ms`; the returned function disarms it. */
  after(ms: number, run: () => void): () => void;
}

/** The program measures each minute: what is older than this is of one that hangs or is gone. ms */
const FRESH_MS = 75_000;
/** One that ended is not begun again sooner: a server that is away shall not see one after the other. */
const AGAIN_MS = 60_000;
/** One that says nothing for so long is ended. */
const SILENT_MS = 100_000;
/** Where nobody has asked for so long, nobody scrapes. */
const UNWANTED_MS = 180_000;

interface Run {
  readonly stop: AbortController;
  /** Of its next figures; rejects with its end. */
  next: PromiseWithResolvers<Measures>;
}

/** Each call resolves with figures that are true, or rejects where there are none. */
export function createMeasuring({ begin, now, after }: MeasuringPorts): () => Promise<Measures> {
  let last: { readonly measures: Measures; readonly at: number } | undefined;
  let run: Run | undefined;
  let begunAt = Number.NEGATIVE_INFINITY;
  let disarm = (): void => undefined;

  async function follow(own: Run): Promise<void> {
    let quiet = after(SILENT_MS, () => own.stop.abort());
    try {
      for await (const output of begin(own.stop.signal)) {
        if (output.type === 'failure') throw new Error(output.message);
        if (output.type !== 'result') continue;
        quiet();
        quiet = after(SILENT_MS, () => own.stop.abort());
        // The other end is this very program: the shape is that of protocol/metrics.ts.
        last = { measures: output.value as Measures, at: now() };
        own.next.resolve(last.measures);
        own.next = nextFigures();
      }
      throw new Error('the program that measures has ended');
    } catch (error) {
      own.next.reject(error);
    } finally {
      quiet();
      run = undefined;
    }
  }

  return async () => {
    disarm();
    disarm = after(UNWANTED_MS, () => run?.stop.abort());
    if (run === undefined && now() - begunAt >= AGAIN_MS) {
      begunAt = now();
      run = { stop: new AbortController(), next: nextFigures() };
      void follow(run);
    }
    if (last !== undefined && now() - last.at < FRESH_MS) return last.measures;
    if (run === undefined) throw new Error('nothing measures, and it is too soon to try again');
    return run.next.promise;
  };
}

/** Nobody may be waiting for it. */
function nextFigures(): PromiseWithResolvers<Measures> {
  const next = Promise.withResolvers<Measures>();
  next.promise.catch(() => undefined);
  return next;
}
