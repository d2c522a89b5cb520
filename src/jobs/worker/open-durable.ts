/** The store the plan wants jobs to be kept in; nothing is asked of it yet. */
import { Failure } from '../../base/errors.ts';
import type { JobsPlan } from '../../config/plan-jobs.ts';
import { openJobsSession } from '../../postgres/jobs-session.ts';
import { layoutOf } from '../../postgres/layout.ts';
import type { Assignment } from '../../protocol/channel.ts';
import type { JobStore, StoreLimits } from '../store.ts';
import { LEASE_MS } from './leases.ts';
import { queueHome } from './queue-home.ts';

export function limitsOf({ maxWaiting, keep }: Pick<JobsPlan, 'maxWaiting' | 'keep'>): StoreLimits {
  return {
    leaseMs: LEASE_MS,
    maxWaiting,
    keep: { completedMs: keep.completed, failedMs: keep.failed, most: keep.most },
  };
}

/** Undefined: the memory alone. @throws Failure where the plan's store cannot be one */
export async function durableStore(
  plan: JobsPlan,
  assignment: Assignment,
  note: (text: string) => void,
): Promise<JobStore | undefined> {
  switch (plan.store) {
    case 'memory':
      return undefined;
    case 'postgres':
      return openPostgres(plan, assignment, note);
    case 'redis':
      return openRedis(plan, assignment, note);
  }
}

/** Each library is a large one, and the other is not needed. */
async function openRedis(
  plan: JobsPlan,
  assignment: Assignment,
  note: (text: string) => void,
): Promise<JobStore> {
  if (plan.redisUrl === undefined) throw new Error('the assignment says no Redis');
  const { RedisStore } = await import('../stores/redis.ts');
  const home = queueHome(plan, assignment);
  return new RedisStore({ url: plan.redisUrl, prefix: plan.prefix, home, limits: limitsOf(plan), note });
}

async function openPostgres(
  plan: JobsPlan,
  assignment: Assignment,
  note: (text: string) => void,
): Promise<JobStore> {
  const { database } = assignment;
  if (!database) {
    throw new Failure('cannot keep jobs in PostgreSQL: the plan has no database', {
      remedy: 'add a `database:` to the plan, or write queue: { store: memory }',
    });
  }
  const { PostgresStore } = await import('../stores/postgres.ts');
  const { dataDir, runDir, secrets } = assignment;
  const { external, port, user, password, name } = database;
  const socketDir = layoutOf(dataDir, runDir).sockets;
  const server = { external, socketDir, port, appUser: user, appPassword: password ?? '' };
  return new PostgresStore({
    connect: () => openJobsSession(server, name, secrets.jobsPassword),
    limits: limitsOf(plan),
    note,
  });
}
