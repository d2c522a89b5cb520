/** What PID 1 counts for whoever draws curves: a number more where something happens anyway, and no timer. */
import type { Clock } from '../base/clock.ts';
import {
  CHECK_BUCKETS,
  type CheckFigures,
  type ExitReason,
  type LoadFigures,
  type RunFigures,
} from '../protocol/metrics.ts';
import type { readFamilies } from '../system/families.ts';
import { OUT_OF_MEMORY } from './launcher.ts';
import type { ServicesListener } from './services/listener.ts';
import type { Exit } from './services/ports.ts';
import type { Cause } from './services/state.ts';

/** Younger figures of processes are given again. ms */
const FRESH_MS = 5000;

export interface Tallies {
  /** Takes part in what the services tell. */
  readonly listener: Required<Pick<ServicesListener, 'spawned' | 'exited' | 'reported'>>;
  checkPassed(name: string, ms: number): void;
  checkFailed(name: string): void;
  /** Looks at the processes, unless somebody just did. */
  figures(): Readonly<Record<string, RunFigures>>;
}

interface Tally {
  readonly exits: Partial<Record<ExitReason, number>>;
  startedAt?: number;
  checks?: { passed: number; failed: number; readonly counts: number[]; sum: number };
  cpuSeconds?: number;
  load?: LoadFigures | undefined;
  /** The kernel took this generation's memory away. */
  starved?: number;
}

export function createTallies(clock: Pick<Clock, 'now' | 'mono'>, read: typeof readFamilies): Tallies {
  const all = new Map<string, Tally>();
  /** CPU seconds of each family at the last look. */
  let known = new Map<object, number>();
  let lookedAt = Number.NEGATIVE_INFINITY;

  function of(name: string): Tally {
    let tally = all.get(name);
    if (tally === undefined) {
      tally = { exits: {} };
      all.set(name, tally);
    }
    return tally;
  }

  function checksOf(name: string): NonNullable<Tally['checks']> {
    const tally = of(name);
    tally.checks ??= { passed: 0, failed: 0, counts: Array(CHECK_BUCKETS.length + 1).fill(0), sum: 0 };
    return tally.checks;
  }

  function look(): void {
    if (clock.mono() - lookedAt < FRESH_MS) return;
    lookedAt = clock.mono();
    for (const tally of all.values()) tally.load = undefined;
    const seen = new Map<object, number>();
    for (const { leader, load } of read()) {
      const tally = of(leader.tag.slice(0, leader.tag.lastIndexOf(':')));
      const before = known.get(leader) ?? 0;
      seen.set(leader, load.cpuSeconds);
      // An orphan that died took its share with it: a counter never falls.
      tally.cpuSeconds = (tally.cpuSeconds ?? 0) + Math.max(0, load.cpuSeconds - before);
      tally.load = plus(tally.load, load);
    }
    known = seen;
  }

  return {
    listener: {
      spawned: (name) => {
        of(name).startedAt = clock.now();
      },
      exited: (name, generation, exit, asked, cause) => {
        const tally = of(name);
        const reason = tally.starved === generation ? 'oom' : reasonOf(exit, asked, cause);
        tally.exits[reason] = (tally.exits[reason] ?? 0) + 1;
      },
      reported: (name, generation, report) => {
        if (report.type === 'failure' && report.message === OUT_OF_MEMORY) of(name).starved = generation;
      },
    },
    checkPassed: (name, ms) => {
      const checks = checksOf(name);
      checks.passed += 1;
      checks.sum += ms;
      const index = CHECK_BUCKETS.findIndex((most) => ms <= most);
      const slot = index < 0 ? CHECK_BUCKETS.length : index;
      checks.counts[slot] = (checks.counts[slot] ?? 0) + 1;
    },
    checkFailed: (name) => {
      checksOf(name).failed += 1;
    },
    figures: () => {
      look();
      return Object.fromEntries([...all].map(([name, tally]) => [name, figuresOf(tally)]));
    },
  };
}

function figuresOf({ exits, startedAt, checks, cpuSeconds, load }: Tally): RunFigures {
  return {
    exits,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(checks === undefined ? {} : { checks: checks satisfies CheckFigures }),
    ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
    ...(load === undefined ? {} : { load }),
  };
}

function plus(sum: LoadFigures | undefined, load: LoadFigures): LoadFigures {
  const files = sum?.openFiles ?? load.openFiles;
  return {
    residentBytes: (sum?.residentBytes ?? 0) + load.residentBytes,
    openFiles:
      sum?.openFiles === undefined || load.openFiles === undefined ? files : sum.openFiles + load.openFiles,
    threads: (sum?.threads ?? 0) + load.threads,
    processes: (sum?.processes ?? 0) + load.processes,
  };
}

function reasonOf({ signal }: Exit, asked: boolean, cause: Cause | undefined): ExitReason {
  if (asked) return 'asked';
  if (cause === 'unhealthy') return 'health';
  if (cause === 'timeout') return 'timeout';
  return signal === null ? 'exit' : 'signal';
}
