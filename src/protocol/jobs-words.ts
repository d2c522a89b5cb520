/** The queue in words for people: PID 1 and the command line say the same. Pure. */
import type { JobsSummary, StoreStatus } from './jobs.ts';
import type { Overall } from './verdict.ts';

/** What people are shown of the queue: what the worker said, and whether that is what the plan asks for. */
export interface JobsHealth extends JobsSummary {
  /** warn: jobs are kept less safely than the plan asks for. */
  readonly verdict: Extract<Overall, 'pass' | 'warn'>;
}

/** A plan that asks for memory gets its journal, and nothing is wrong with that. */
export function judgeJobs(summary: JobsSummary, asked: StoreStatus['kind']): JobsHealth {
  const { durability, kind } = summary.store;
  const isKept = durability === 'durable' || (asked === 'memory' && durability === 'journaled');
  return { ...summary, verdict: isKept && kind === asked ? 'pass' : 'warn' };
}

/** "12 waiting, 2 active, 3 failed" */
export function describeCounts({ counts, paused }: JobsSummary): string {
  const waiting = counts.created + counts.retry;
  return [
    `${waiting} waiting`,
    `${counts.active} active`,
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
    ...(paused ? ['paused'] : []),
  ].join(', ');
}

const PLACES: Readonly<Record<StoreStatus['kind'], string>> = {
  postgres: 'in PostgreSQL',
  redis: 'in Redis',
  memory: 'in memory',
};

/** "kept in memory and a journal since 10:42 UTC: cannot reach PostgreSQL" */
export function describeStore({ kind, durability, since, reason, pendingReturn }: StoreStatus): string {
  const journal = durability === 'journaled' ? ' and a journal' : '';
  const lost = durability === 'volatile' ? ', lost with the next restart of the worker,' : '';
  const back = pendingReturn ? ` (${pendingReturn} to be handed back)` : '';
  const why = reason === undefined || reason === '' ? '' : `: ${reason}`;
  return `kept ${PLACES[kind]}${journal}${lost} since ${since.slice(11, 16)} UTC${back}${why}`;
}
