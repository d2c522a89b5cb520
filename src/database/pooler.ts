/** Whether a connection pooler stands between us and the server, and of which kind. */
import { connectAsApp, type Server, type Session } from '../postgres/connect.ts';

export interface PoolerEvidence {
  /** What the greeting called our backend; a pooler makes that number up. */
  readonly greeted: number | null;
  /** The backends our statements ran in, in order. */
  readonly ours: readonly number[];
  /** Those of a second session that was open all the while. */
  readonly others: readonly number[];
}

/** `transaction`: nothing of a session outlives its transaction, locks and settings least of all. */
export type Pooler = 'none' | 'session' | 'transaction';

/** Pure. Two open sessions never share a backend, and none changes its own, unless somebody hands backends round. */
export function judgePooler({ greeted, ours, others }: PoolerEvidence): Pooler {
  const isShared = ours.some((pid) => others.includes(pid));
  const changes = new Set(ours).size > 1 || new Set(others).size > 1;
  if (isShared || changes) return 'transaction';
  return ours.every((pid) => pid === greeted) ? 'none' : 'session';
}

/** Takes one more connection for as long as it takes. */
export async function findPooler(session: Session, server: Server, database: string): Promise<Pooler> {
  const second = await connectAsApp(server, database);
  try {
    const ours: number[] = [];
    const others: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      ours.push(await backendOf(session));
      others.push(await backendOf(second));
    }
    const { processID } = session as { processID?: number | null };
    return judgePooler({ greeted: processID ?? null, ours, others });
  } finally {
    await second.end();
  }
}

async function backendOf(session: Session): Promise<number> {
  const { rows } = await session.query<{ pid: number }>('SELECT pg_catalog.pg_backend_pid() AS pid');
  return rows[0]?.pid ?? 0;
}
