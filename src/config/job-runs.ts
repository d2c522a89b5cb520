/** The runs that jobs bring along: the worker that decides about them, and the API in front of them. */
import { DEFAULT_RESTART } from './build-restart.ts';
import { type Draft, KILL_WAIT } from './build-run.ts';
import type { DatabasePlan } from './plan.ts';
import type { ApiPlan, JobsPlan } from './plan-jobs.ts';
import type { ServicePlan } from './plan-runs.ts';

/** What the worker has after the last of its attempts, to put back what they did; ms. */
const WORKER_END = 2000;
/**
 * One that hangs is noticed before its leases of 30 s run out, of which it has used ten at most: until then its attempts
 * must be gone, for another worker may take their jobs. ms
 */
const SILENT = 10_000;

export function workerDraft(
  jobs: JobsPlan,
  { database, dataDir }: { readonly database: DatabasePlan | undefined; readonly dataDir: string },
  at: Pick<Draft, 'at' | 'key'>,
): Draft {
  const run: ServicePlan = {
    ...ownService('worker', 'worker', jobs.user),
    // Of the journal, where jobs are while the store is away.
    folders: [`${dataDir}/bulkhead/jobs`],
    // The queue takes jobs in while the database is away, so it does not wait until that is well.
    dependsOn: database ? { database: { condition: 'service_started', required: false } } : {},
    stop: {
      rungs: [
        { signal: 'SIGTERM', wait: Math.round(jobs.stopWithin + WORKER_END) },
        { signal: 'SIGKILL', wait: KILL_WAIT },
      ],
      target: 'leader-then-group',
      reserve: 0,
    },
    // Behind the application, before the jobs.
    nice: 5,
  };
  return { run, profiles: [], ...at };
}

/** @param off why there is none, unless somebody asks for it by name */
export function apiDraft(
  plan: ApiPlan,
  { apiPort: port, dataDir }: { readonly apiPort: number; readonly dataDir: string },
  hasAlerts: boolean,
  off: string | undefined,
  at: Pick<Draft, 'at' | 'key'>,
): Draft {
  const host = /^(0\.0\.0\.0|::|localhost)$/.test(plan.host) ? '127.0.0.1' : plan.host;
  const run: ServicePlan = {
    ...ownService('api', 'api', plan.user),
    // What alerts were told must outlive it.
    ...(hasAlerts ? { folders: [`${dataDir}/bulkhead/alerts`] } : {}),
    healthcheck: {
      probe: { kind: 'tcp', host, port },
      interval: 10_000,
      timeout: 5000,
      retries: 3,
      startPeriod: 60_000,
      startInterval: 100,
    },
  };
  return { run, profiles: [], ...at, ...(off === undefined ? {} : { off }) };
}

function ownService(name: string, program: 'worker' | 'api', user: string): ServicePlan {
  return {
    kind: 'service',
    name,
    work: { kind: 'program', program },
    workingDir: undefined,
    user,
    environment: {},
    envFiles: [],
    dependsOn: {},
    stop: {
      rungs: [
        { signal: 'SIGTERM', wait: 3000 },
        { signal: 'SIGKILL', wait: KILL_WAIT },
      ],
      target: 'leader-then-group',
      reserve: 0,
    },
    critical: false,
    nice: undefined,
    oomScoreAdj: undefined,
    startTimeout: undefined,
    ready: undefined,
    healthcheck: undefined,
    // What it needs comes back one day: it is never given up.
    restart: { ...DEFAULT_RESTART, maxDelay: 10_000, giveUp: undefined },
    onUnhealthy: 'restart',
    watchdog: SILENT,
  };
}
