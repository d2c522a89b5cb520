/**
 * The supervisor watches itself, without a timer of its own: everything is measured when somebody asks, as the probe
 * of /livez does every few seconds anyway. A fault is only what a restart of PID 1 would cure.
 */
import type { Clock } from '../base/clock.ts';
import { type SelfStatus, STANDARD_OUTPUT } from '../protocol/status.ts';
import { readLoopLag } from '../system/clock.ts';
import { readOwnLoad } from '../system/own-load.ts';
import type { Reaper } from '../system/reaper.ts';
import type { Logs } from './logs/logs.ts';

export interface SelfCheckSources {
  readonly clock: Clock;
  readonly reaper: Pick<Reaper, 'zombies' | 'sweepSoon'>;
  readonly logs: Pick<Logs, 'stats'>;
  /** A run whose deadline passed so long ago without anything coming of it. */
  readonly overdue: (ms: number) => string | undefined;
  readonly internalErrors: () => number;
}

export interface SelfCheck {
  status(): SelfStatus;
  /** One sentence without a final stop, or undefined. */
  fault(): string | undefined;
}

/** What lives for an instant and is still there after this stands still. */
const STANDSTILL_MS = 10_000;

export function createSelfCheck(sources: SelfCheckSources): SelfCheck {
  const { clock, reaper, logs, overdue, internalErrors } = sources;
  /** When each zombie was first seen. */
  let seen = new Map<number, number>();

  function lookAtZombies(): readonly number[] {
    const now = clock.mono();
    const zombies = reaper.zombies();
    seen = new Map(zombies.map((pid) => [pid, seen.get(pid) ?? now]));
    // A signal may have been lost; whoever asks need not wait for the slow sweep.
    if (zombies.length > 0) reaper.sweepSoon();
    return zombies.filter((pid) => now - (seen.get(pid) ?? now) >= STANDSTILL_MS);
  }

  function fault(): string | undefined {
    const old = lookAtZombies();
    if (old.length > 0) return `the reaper stands still: ${old.length} zombies stay`;
    const late = overdue(STANDSTILL_MS);
    return late === undefined ? undefined : `the state machine stands still: the deadline of ${late} is over`;
  }

  return {
    fault,
    status: () => {
      const { outputQueued, outputDropped, hasFiles, files } = logs.stats();
      const sum = (what: 'queued' | 'dropped'): number =>
        Object.values(files).reduce((total, file) => total + file[what], 0);
      return {
        fault: fault(),
        loopLag: readLoopLag(),
        zombies: seen.size,
        ...readOwnLoad(),
        logQueuedBytes: outputQueued + sum('queued'),
        logDroppedLines: outputDropped + sum('dropped'),
        logLostLines: hasFiles
          ? Object.fromEntries(
              Object.entries(files).flatMap(([name, { dropped }]) => (dropped > 0 ? [[name, dropped]] : [])),
            )
          : { [STANDARD_OUTPUT]: outputDropped },
        internalErrors: internalErrors(),
      };
    },
  };
}
