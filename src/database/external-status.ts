/** What `bulkhead db status` shows of a server that is not ours: what the application itself may see. */
import { nameServer } from '../config/external-url.ts';
import { connectAsApp, type Server } from '../postgres/connect.ts';
import { hasLedger, readLedger } from '../postgres/ledger.ts';
import type { Job } from '../program/job.ts';
import type { DatabaseStatus } from '../protocol/database-status.ts';
import { countContent } from './count-content.ts';
import { encryptionOf } from './external-database.ts';
import { findExternalDrift } from './external-drift.ts';
import { findPooler } from './pooler.ts';

/** Settings people ask for first when a server is not theirs. */
const SETTINGS = ['max_connections', 'statement_timeout', 'TimeZone', 'server_encoding', 'lc_collate'];

export async function readExternalStatus(job: Job, server: Server): Promise<DatabaseStatus> {
  const { plan } = job;
  const session = await connectAsApp(server, plan.name);
  try {
    const { rows } = await session.query<{
      version: string;
      started: Date;
      connections: string;
      size: string;
    }>(
      `SELECT current_setting('server_version') AS version, pg_postmaster_start_time() AS started,
              (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
              pg_database_size(current_database()) AS size`,
    );
    const row = rows[0];
    const { tables, rows: count } = await countContent(session);
    const settings = await session.query<{ name: string; value: string; source: string }>(
      'SELECT name, current_setting(name) AS value, source FROM pg_catalog.pg_settings WHERE name = ANY ($1)',
      [SETTINGS],
    );
    return {
      serverVersion: row?.version ?? '',
      cluster: undefined,
      external: {
        host: server.external ? nameServer(server.external) : '',
        encryption: encryptionOf(session),
        pooler: await findPooler(session, server, plan.name),
      },
      database: plan.name,
      user: plan.user,
      port: plan.port,
      exists: true,
      size: row === undefined ? undefined : Number(row.size),
      tables,
      rows: count,
      connections: Number(row?.connections ?? 0),
      startedAt: row?.started.toISOString() ?? '',
      ledger: (await hasLedger(session)) ? await readLedger(session) : [],
      kept: [],
      keptDatabases: [],
      drifted: await findExternalDrift(session, plan.name),
      uncleanStops: { count: 0, lastAt: undefined },
      settings: settings.rows.map((setting) => ({ ...setting, reason: '' })),
    };
  } finally {
    await session.end();
  }
}
