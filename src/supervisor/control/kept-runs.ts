/**
 * Runs that outlive who asked for them. The API asks for backups and restores, and they must not end because it was
 * restarted or has crashed: they are PID 1's, and whoever knows an id hears what was kept of its run, and the rest.
 */
import type { Report } from '../../protocol/channel.ts';
import type { KeptEnd, KeptOrder, KeptRun } from '../../protocol/kept-runs.ts';
import { RequestFailure } from './answers.ts';

export interface KeptRuns {
  /**
   * Begins one; its signal is aborted when somebody wants it to end. Throws a Failure where the id is taken, or too many
   * run.
   */
  begin(order: KeptOrder, run: Run): void;
  /** Oldest first. */
  list(): readonly KeptRun[];
  /**
   * Hears what is kept of a run, then what comes, until its end; undefined: who hears has left before. Throws why it
   * did not begin, and a Failure where there is none of the id.
   */
  follow(id: string, hear: Hear, left: AbortSignal): Promise<KeptEnd | undefined>;
  /** Asks it to end; false: it does not run. */
  cancel(id: string): boolean;
}

type Hear = (report: Report) => void;
/** Resolves with its exit code; rejects where it could not begin. */
type Run = (hear: Hear, signal: AbortSignal) => Promise<number>;

interface Kept {
  readonly order: KeptOrder;
  readonly startedAt: string;
  readonly stop: AbortController;
  readonly listeners: Set<Hear>;
  readonly over: Promise<KeptEnd>;
  end: KeptEnd | undefined;
  notes: readonly Report[];
  /** Only the last of each kind is of use to who comes later. */
  readonly last: Map<'progress' | 'result' | 'failure', Report>;
}

const MOST_RUNNING = 32;
/** Of those that have ended. */
const MOST_ENDED = 50;
/** Characters of what they said, together. */
const MOST_TEXT = 512 * 1024;
const MOST_NOTES = 50;

/** @param now ms since the epoch */
export function createKeptRuns(now: () => number): KeptRuns {
  const all = new Map<string, Kept>();
  const isoNow = (): string => new Date(now()).toISOString();

  function hear(kept: Kept, report: Report): void {
    if (report.type === 'note') kept.notes = [...kept.notes, report].slice(-MOST_NOTES);
    else if (report.type === 'progress' || report.type === 'result' || report.type === 'failure')
      kept.last.set(report.type, report);
    for (const listener of [...kept.listeners]) listener(report);
  }

  function forgetOldest(): void {
    let text = 0;
    let count = 0;
    for (const kept of [...all.values()].reverse()) {
      if (kept.end === undefined) continue;
      text += JSON.stringify([...kept.notes, ...kept.last.values()]).length;
      count += 1;
      // The one that has just ended is told to who waits for it, whatever its size.
      if (count > 1 && (count > MOST_ENDED || text > MOST_TEXT)) all.delete(kept.order.id);
    }
  }

  async function carryOut(kept: Kept, run: Run): Promise<KeptEnd> {
    const { id } = kept.order;
    try {
      const code = await run((report) => hear(kept, report), kept.stop.signal);
      kept.end = { code, endedAt: isoNow(), cancelled: kept.stop.signal.aborted };
      kept.last.delete('progress');
      forgetOldest();
      return kept.end;
    } catch (error) {
      all.delete(id);
      throw error;
    }
  }

  return {
    begin(order, run) {
      if (all.has(order.id)) throw new RequestFailure(409, 'id-taken', 'cannot run this: its id is taken');
      if ([...all.values()].filter(({ end }) => end === undefined).length >= MOST_RUNNING)
        throw new RequestFailure(503, 'too-many-runs', `cannot run this: ${MOST_RUNNING} run already`);
      const { promise, resolve } = Promise.withResolvers<KeptEnd>();
      const kept: Kept = {
        order,
        startedAt: isoNow(),
        stop: new AbortController(),
        listeners: new Set(),
        over: promise,
        end: undefined,
        notes: [],
        last: new Map(),
      };
      all.set(order.id, kept);
      // Who follows is told; nobody may.
      promise.catch(() => undefined);
      resolve(carryOut(kept, run));
    },
    list: () => [...all.values()].map(({ order, startedAt, end }) => ({ ...order, startedAt, end })),
    async follow(id, listener, left) {
      const kept = all.get(id);
      if (kept === undefined)
        throw new RequestFailure(404, 'unknown-run', `cannot follow the run ${id}: there is none`);
      for (const report of [...kept.notes, ...kept.last.values()]) listener(report);
      kept.listeners.add(listener);
      try {
        return await Promise.race([kept.over, untilAborted(left)]);
      } finally {
        kept.listeners.delete(listener);
      }
    },
    cancel(id) {
      const kept = all.get(id);
      if (kept === undefined || kept.end !== undefined) return false;
      kept.stop.abort();
      return true;
    },
  };
}

function untilAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
