/** The service `database` where the server is not ours: waits until it lets us in, and stands for it from then on. */
import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, writeSync } from 'node:fs';
import { READY_FD } from '../config/external-runs.ts';
import { nameServer } from '../config/external-url.ts';
import { type Server, type Session, serverOf } from '../postgres/connect.ts';
import { readIdentity, writeIdentity } from '../postgres/identity.ts';
import { type Layout, layoutOf } from '../postgres/layout.ts';
import { databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { becomeUser } from '../system/users.ts';
import { findPooler } from './pooler.ts';
import { layOutRunDir, layOutVolume } from './volume.ts';
import { waitForDatabase } from './wait-for-database.ts';

export async function holdExternalDatabase(job: Job): Promise<void> {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const user = databaseUser(job.plan.systemUser);
  layOutVolume(layout, user);
  layOutRunDir(layout, user);
  keepIdentity(layout);
  // What a foreign server says is not read as root.
  becomeUser(user);
  const server = serverOf(job.assignment, job.plan);
  const session = await waitForDatabase(job, server);
  try {
    await describe(job, server, session);
  } finally {
    await session.end();
  }
  writeSync(READY_FD, '\n');
  closeSync(READY_FD);
  await rest(job);
}

/** Written before the first connection: a volume that was meant for an external database must not become another. */
function keepIdentity(layout: Layout): void {
  const known = readIdentity(layout.identity);
  if (known?.mode === 'external') return;
  writeIdentity(layout.identity, {
    layout: 1,
    installId: randomUUID(),
    createdAt: new Date().toISOString(),
    everHadData: false,
    ...known,
    mode: 'external',
  });
}

async function describe(job: Job, server: Server, session: Session): Promise<void> {
  const where = server.external ? nameServer(server.external) : '';
  const { rows } = await session.query<{ version: string }>(
    `SELECT pg_catalog.current_setting('server_version') AS version`,
  );
  job.say(`connected to PostgreSQL ${rows[0]?.version} at ${where}, ${encryptionOf(session)}`);
  const pooler = await findPooler(session, server, job.plan.name);
  if (pooler === 'session') job.say('a pooler stands in between that keeps sessions whole');
  if (pooler !== 'transaction') return;
  job.note(
    `${where} is a transaction pooler: locks and prepared statements of a session do not hold there; give the migration the address of the server itself, as DATABASE_URL under database.migrate.environment`,
  );
}

/** `TLSv1.3`, or that there is none. */
export function encryptionOf(session: Session): string {
  const { stream } = session.connection as unknown as { stream: { getProtocol?: () => string | null } };
  return stream.getProtocol?.() ?? 'not encrypted';
}

const SLEEP = ['/bin/sleep', '/usr/bin/sleep'];

/** Nothing is left to do until the end, and a process that does nothing need not be forty megabytes of Node. */
async function rest(job: Job): Promise<void> {
  await job.leave();
  if (job.signal.aborted) return;
  const sleep = SLEEP.find((path) => existsSync(path));
  if (sleep !== undefined && process.execve) process.execve(sleep, ['sleep', 'infinity'], {});
  await new Promise((resolve) => {
    const timer = setInterval(() => undefined, 2 ** 31 - 1);
    job.signal.addEventListener('abort', () => resolve(clearInterval(timer)), { once: true });
  });
}
