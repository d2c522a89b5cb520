/** The boot order with a database of somebody else: nothing is made there but what a plain client could make. */
import { DEFAULT_RESTART } from './build-restart.ts';
import { asksForTls } from './external-url.ts';
import type { ExternalServer } from './plan.ts';
import type { ProbePlan, RunBase, RunPlan } from './plan-runs.ts';

/** The descriptor on which the waiting program says that it was let in; 3 is its channel. */
export const READY_FD = 4;

/** Longer than anybody waits, and short enough for every timer. */
const FOR_EVER = 2 ** 31 - 1;

/** Waits until the server lets us in, and stands for it from then on: its check is the database's health. */
export function externalDatabaseRun(base: RunBase, server: ExternalServer): RunPlan {
  return {
    ...base,
    kind: 'service',
    work: { kind: 'program', program: 'external-database' },
    ready: { kind: 'fd', fd: READY_FD },
    healthcheck: {
      probe: probeOf(server),
      interval: 10_000,
      timeout: 5000,
      retries: 3,
      startPeriod: FOR_EVER,
      startInterval: 1000,
    },
    restart: DEFAULT_RESTART,
    // It is not ours to restart, and that it is away is no reason to end.
    onUnhealthy: 'ignore',
  };
}

/** A migration there has company: other containers, and sessions that outlive the program that opened them. */
export function throughOurs(run: RunPlan): RunPlan {
  if (run.work.kind !== 'command') return run;
  // The limit is of the command alone: waiting for another container's migration is not its fault.
  return {
    ...run,
    startTimeout: undefined,
    work: { ...run.work, through: { program: 'migrate', timeout: run.startTimeout } },
  };
}

function probeOf(server: ExternalServer): ProbePlan {
  const [first, ...others] = server.hosts.map(({ address, port }) => ({ host: address, port }));
  return {
    kind: 'postgres',
    ...(first ?? { host: '', port: 0 }),
    ...(others.length > 0 ? { others } : {}),
    ...(asksForTls(server) ? { encrypted: true } : {}),
  };
}
