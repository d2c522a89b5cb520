/** What the rules judge, and how it is found: one question to PID 1, one statfs, two files of the kernel. */
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import type { Clock } from '../base/clock.ts';
import { everyTimes, parseCron } from '../base/cron.ts';
import type { AlertsPlan } from '../config/plan-alerts.ts';
import type { ProductStatus, ServiceStatus } from '../protocol/status.ts';
import { readMemoryLimit, readWorkingSet } from '../system/cgroup.ts';
import type { SinkState } from './telling.ts';

export interface BackupFact {
  readonly name: string;
  /** ms since the epoch: of the last run that went well, or since when it is known that there was none. */
  readonly since: number;
  readonly everWell: boolean;
  /** ms between two runs. */
  readonly period: number;
}

/** Undefined where it could not be found: nothing is judged by it then. */
export interface Facts {
  /** ms since the epoch. */
  readonly now: number;
  readonly product: ProductStatus | undefined;
  /** Unasked ends within the last ten minutes, by service. */
  readonly ends: ReadonlyMap<string, number>;
  /** Lines that no log file has, since the look before, by service; without files of STANDARD_OUTPUT. */
  readonly lostLines: ReadonlyMap<string, number> | undefined;
  /** By how much the clock was set since the look before, s. */
  readonly clockStep: number;
  /** Used, in percent. */
  readonly disk: number | undefined;
  /** Of the limit, in percent; undefined also where there is none. */
  readonly memory: number | undefined;
  readonly backups: readonly BackupFact[];
  readonly sinks: ReadonlyMap<string, SinkState>;
  /** Jobs that may run at once here. */
  readonly concurrency: number;
}

export interface FactPorts {
  readonly clock: Clock;
  /** Throws where PID 1 does not answer. */
  status(): Promise<ProductStatus>;
  readonly dataDir: string;
}

/** Of backups, what outlives us; ISO 8601 by schedule. */
export type BackupTimes = Readonly<Record<string, { readonly well?: string; readonly seen: string }>>;

const ENDS_WITHIN_MS = 10 * 60_000;

export interface FactSource {
  look(
    sinks: ReadonlyMap<string, SinkState>,
    times: BackupTimes,
  ): Promise<{ facts: Facts; times: BackupTimes }>;
}

export function createFactSource(plan: AlertsPlan, concurrency: number, ports: FactPorts): FactSource {
  const { clock } = ports;
  const periods = new Map(plan.backups.map(({ name, ...times }) => [name, findPeriods(times)]));
  const counts = new Map<string, number>();
  const ends: { readonly service: string; readonly at: number; readonly count: number }[] = [];
  let lostBefore: Counts | undefined;
  let before: { readonly wall: number; readonly mono: number } | undefined;

  /** PID 1 counts since its own start: fewer than before means another PID 1. */
  function countEnds({ name, restarts }: ServiceStatus): void {
    const known = counts.get(name);
    counts.set(name, restarts);
    const more = known === undefined ? 0 : restarts < known ? restarts : restarts - known;
    if (more > 0) ends.push({ service: name, at: clock.mono(), count: more });
  }

  return {
    async look(sinks, times) {
      const product = await ports.status().catch(() => undefined);
      for (const service of product?.services ?? []) countEnds(service);
      while (ends[0] && ends[0].at <= clock.mono() - ENDS_WITHIN_MS) ends.shift();
      const summed = new Map<string, number>();
      for (const { service, count } of ends) summed.set(service, (summed.get(service) ?? 0) + count);
      const lost = product?.supervisor?.logLostLines;
      const lostLines = lost && lostBefore && countMore(lost, lostBefore);
      lostBefore = lost ?? lostBefore;
      const wall = clock.now();
      const mono = clock.mono();
      const clockStep = before === undefined ? 0 : Math.abs(wall - before.wall - (mono - before.mono)) / 1000;
      before = { wall, mono };
      const newer = product === undefined ? times : rememberBackups(plan, product, times, wall);
      return {
        times: newer,
        facts: {
          now: wall,
          product,
          ends: summed,
          lostLines,
          clockStep,
          disk: await readDisk(ports.dataDir),
          memory: readMemory(),
          backups: plan.backups.flatMap(({ name }) => {
            const known = newer[name];
            const period = periods.get(name)?.(wall);
            if (known === undefined || period === undefined) return [];
            return [
              {
                name,
                period,
                since: Date.parse(known.well ?? known.seen),
                everWell: known.well !== undefined,
              },
            ];
          }),
          sinks,
          concurrency,
        },
      };
    },
  };
}

type Counts = Readonly<Record<string, number>>;

function countMore(now: Counts, before: Counts): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(now).map(([name, count]) => [name, Math.max(0, count - (before[name] ?? 0))]),
  );
}

type Times = Omit<AlertsPlan['backups'][number], 'name'>;

function rememberBackups(
  plan: AlertsPlan,
  { schedules }: ProductStatus,
  times: BackupTimes,
  now: number,
): BackupTimes {
  // A PID 1 that lost its own file knows less than we do.
  const entries = plan.backups.map(({ name }) => {
    const well = schedules.find((schedule) => schedule.name === name)?.lastSuccess;
    const known = times[name] ?? { seen: new Date(now).toISOString() };
    return [name, well === undefined ? known : { ...known, well }] as const;
  });
  return Object.fromEntries(entries);
}

/** By the moment, ms: how far the next two runs are from each other; undefined: there is none. */
function findPeriods({ cron, every, timeZone }: Times): (now: number) => number | undefined {
  const times = every === undefined ? parseCron(cron, timeZone) : everyTimes(every);
  let known: { readonly from: number; readonly next: number; readonly period: number } | undefined;
  return (now) => {
    if ('why' in times) return undefined;
    // The same until the next run, and dear to find.
    if (known && now >= known.from && now < known.next) return known.period;
    const next = times.after(now);
    const then = next === undefined ? undefined : times.after(next);
    known = next === undefined || then === undefined ? undefined : { from: now, next, period: then - next };
    return known?.period;
  };
}

async function readDisk(dataDir: string): Promise<number | undefined> {
  try {
    const { blocks, bfree, bavail } = await statfs(dataDir);
    // As df counts: what only root may still use is no room.
    const used = blocks - bfree;
    return used + bavail === 0 ? undefined : (100 * used) / (used + bavail);
  } catch {
    return undefined;
  }
}

function readMemory(): number | undefined {
  const limit = readMemoryLimit();
  const used = readWorkingSet();
  return used === undefined || limit >= totalmem() ? undefined : (100 * used) / limit;
}
