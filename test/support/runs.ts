import type { CheckPlan, Dependency, ServicePlan, StopLadder, TaskPlan } from '../../src/config/plan-runs.ts';

/** TERM, 4 s, KILL: to the leader, then to what is left of its group. */
export const termLadder: StopLadder = {
  rungs: [
    { signal: 'SIGTERM', wait: 4000 },
    { signal: 'SIGKILL', wait: 1000 },
  ],
  target: 'leader-then-group',
  reserve: 0,
};

/** PostgreSQL's: fast, then immediate, then KILL; to the postmaster alone; with a share of the budget of its own. */
export const postgresLadder: StopLadder = {
  rungs: [
    { signal: 'SIGINT', wait: 6000 },
    { signal: 'SIGQUIT', wait: 2000 },
    { signal: 'SIGKILL', wait: 1000 },
  ],
  target: 'leader',
  reserve: 5000,
};

const base = {
  work: { kind: 'command', argv: ['true'] },
  workingDir: undefined,
  user: undefined,
  environment: {},
  envFiles: [],
  dependsOn: {},
  stop: termLadder,
  critical: false,
  nice: undefined,
  oomScoreAdj: undefined,
  startTimeout: undefined,
} as const;

/** A service without a readiness of its own: ready as soon as it is spawned. */
export function aService(name: string, changes: Partial<ServicePlan> = {}): ServicePlan {
  return {
    ...base,
    kind: 'service',
    name,
    ready: undefined,
    healthcheck: undefined,
    restart: {
      policy: 'always',
      initialDelay: 500,
      maxDelay: 30_000,
      stableAfter: 60_000,
      giveUp: { limit: 5, window: 120_000 },
    },
    onUnhealthy: 'restart',
    ...changes,
  };
}

export function aTask(name: string, changes: Partial<TaskPlan> = {}): TaskPlan {
  return { ...base, kind: 'task', name, retries: 0, ...changes };
}

export const aCheck: CheckPlan = {
  probe: { kind: 'tcp', host: '127.0.0.1', port: 1 },
  interval: 10_000,
  timeout: 3000,
  retries: 3,
  startPeriod: 0,
  startInterval: 1000,
};

/** `dependsOn` in short: `needs('database')`, `needs({ migrate: 'service_completed_successfully' })`. */
export function needs(
  what: string | Readonly<Record<string, Dependency['condition']>>,
  required = true,
): Readonly<Record<string, Dependency>> {
  const conditions = typeof what === 'string' ? { [what]: 'service_healthy' as const } : what;
  return Object.fromEntries(
    Object.entries(conditions).map(([name, condition]) => [name, { condition, required }]),
  );
}
