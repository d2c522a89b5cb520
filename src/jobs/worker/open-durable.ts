/** The store the plan wants jobs to be kept in; nothing is asked of it yet. */
import { Failure } from '../../base/errors.ts';
import type { JobsPlan } from '../../config/plan-jobs.ts';
import { openSession } from '../../postgres/connect.ts';
import { openExternalSession } from '../../postgres/external-session.ts';
import { layoutOf } from '../../postgres/layout.ts';
import type { Assignment } from '../../protocol/channel.ts';
import type { JobStore, StoreLimits } from '../store.ts';
import { type PostgresOptions, PostgresStore } from '../stores/postgres.ts';
import { LEASE_MS } from './leases.ts';

/** Role and database of the queue in our own cluster: no import, restore or dump of the application touches it. */
const OWN_QUEUE = 'bulkhead_jobs';

export function limitsOf({ maxWaiting, keep }: Pick<JobsPlan, 'maxWaiting' | 'keep'>): StoreLimits {
  return {
    leaseMs: LEASE_MS,
    maxWaiting,
    keep: { completedMs: keep.completed, failedMs: keep.failed, most: keep.most },
  };
}

/** Undefined: the memory alone. @throws Failure where the plan's store cannot be one */
export function durableStore(
  plan: JobsPlan,
  assignment: Assignment,
  note: (text: string) => void,
): JobStore | undefined {
  switch (plan.store) {
    case 'memory':
      return undefined;
    case 'postgres':
      return new PostgresStore({ connect: connection(assignment), limits: limitsOf(plan), note });
    case 'redis':
      throw new Failure('cannot keep jobs in Redis: there is no such store', {
        remedy: 'write queue: { store: postgres }',
      });
  }
}

function connection({ database, secrets, dataDir, runDir }: Assignment): PostgresOptions['connect'] {
  if (!database) {
    throw new Failure('cannot keep jobs in PostgreSQL: the plan has no database', {
      remedy: 'add a `database:` to the plan, or write queue: { store: memory }',
    });
  }
  const { external } = database;
  if (external) {
    const { user, password, name } = database;
    return () => openExternalSession(external, { user, password, database: name });
  }
  const { sockets } = layoutOf(dataDir, runDir);
  const login = { user: OWN_QUEUE, database: OWN_QUEUE, password: secrets.jobsPassword };
  return () => openSession({ host: sockets, port: database.port, ...login });
}
