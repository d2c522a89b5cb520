/** The program `database-status`: what `bulkhead db status` shows. */
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { databaseExists } from '../postgres/app-database.ts';
import { connectAsSuperuser, type Session, serverOf } from '../postgres/connect.ts';
import { keptUntil, listKeptClusters } from '../postgres/kept-clusters.ts';
import { listKeptDatabases } from '../postgres/kept-databases.ts';
import { layoutOf } from '../postgres/layout.ts';
import { readLedger } from '../postgres/ledger.ts';
import { readMachineSize } from '../postgres/machine-size.ts';
import type { Job } from '../program/job.ts';
import type { DatabaseStatus } from '../protocol/database-status.ts';
import { ARCHIVE_SCRIPT, archiveSettings } from '../wal/archive-settings.ts';
import { findDrifted } from './collation.ts';
import { countContent } from './count-content.ts';
import { tuneServer } from './tuning.ts';
import { readUncleanStops } from './unclean-stops.ts';

export async function runDatabaseStatus(job: Job): Promise<void> {
  const server = serverOf(job.assignment, job.plan);
  if (server.external) {
    const { readExternalStatus } = await import('./external-status.ts');
    job.report({ type: 'result', value: await readExternalStatus(job, server) });
    return;
  }
  const session = await connectAsSuperuser(server);
  try {
    job.report({
      type: 'result',
      value: await readStatus(job, session, () => connectAsSuperuser(server, job.plan.name)),
    });
  } finally {
    await session.end();
  }
}

async function readStatus(
  job: Job,
  session: Session,
  openApp: () => Promise<Session>,
): Promise<DatabaseStatus> {
  const { plan } = job;
  const exists = await databaseExists(session, plan.name);
  const { rows } = await session.query<{
    version: string;
    started: Date;
    connections: string;
    size: string | null;
  }>(
    `SELECT current_setting('server_version') AS version, pg_postmaster_start_time() AS started,
            (SELECT count(*) FROM pg_stat_activity WHERE datname = $1) AS connections,
            (SELECT pg_database_size(oid) FROM pg_database WHERE datname = $1) AS size`,
    [plan.name],
  );
  const row = rows[0];
  const ledger = await readLedger(session).catch(() => []);
  const content = exists ? await readContent(await openApp()) : undefined;
  return {
    serverVersion: row?.version ?? '',
    cluster: readlinkSync(layoutOf(job.assignment.dataDir, job.assignment.runDir).current),
    database: plan.name,
    user: plan.user,
    port: plan.port,
    exists,
    size: row?.size === null || row?.size === undefined ? undefined : Number(row.size),
    tables: content?.tables,
    rows: content?.rows,
    connections: Number(row?.connections ?? 0),
    startedAt: row?.started.toISOString() ?? '',
    uncleanStops: readUncleanStops(layoutOf(job.assignment.dataDir, job.assignment.runDir)),
    ledger,
    drifted: await findDrifted(session, ledger),
    kept: listKeptClusters(layoutOf(job.assignment.dataDir, job.assignment.runDir)).map((kept) => ({
      name: kept.name,
      major: kept.major,
      since: kept.since,
      until: keptUntil(kept),
    })),
    keptDatabases: await listKeptDatabases(session),
    settings: await readSettings(job, session),
  };
}

async function readContent(app: Session): Promise<{ tables: number; rows: number }> {
  try {
    return await countContent(app);
  } finally {
    await app.end();
  }
}

async function readSettings(job: Job, session: Session): Promise<DatabaseStatus['settings']> {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const script = job.backups.pointInTime ? join(layout.rendered, ARCHIVE_SCRIPT) : undefined;
  const tuned = [...tuneServer(readMachineSize(layout.dataDir)), ...archiveSettings(script)];
  const { rows } = await session.query<{
    name: string;
    value: string;
    sourcefile: string | null;
    source: string;
  }>(
    'SELECT name, current_setting(name) AS value, source, sourcefile FROM pg_catalog.pg_settings WHERE name = ANY ($1)',
    [[...tuned.map(({ name }) => name), ...Object.keys(job.plan.settings)]],
  );
  return rows.map(({ name, value, source, sourcefile }) => {
    const inPlan = Object.hasOwn(job.plan.settings, name);
    const ours = sourcefile?.endsWith('/config/postgresql.conf') === true;
    const from = inPlan && ours ? 'plan' : ours ? 'tuned' : (sourcefile ?? source);
    return {
      name,
      value,
      source: from,
      reason: from === 'tuned' ? (tuned.find((each) => each.name === name)?.reason ?? '') : '',
    };
  });
}
