/** A backup of kind `base`: the files of the whole cluster and the WAL that makes them one moment. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { connectAsSuperuser, type Server } from '../postgres/connect.ts';
import { readSystemIdentifier } from '../postgres/identity.ts';
import type { Job } from '../program/job.ts';
import { CLUSTER_FOLDER } from '../protocol/backups.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { runTool } from '../system/commands.ts';
import { tellBytes } from './byte-progress.ts';
import { dumpFailure } from './dump-backup.ts';
import type { BackupContent } from './make-backup.ts';
import { asSuperuser, type PostgresPlace, requireTool } from './postgres-place.ts';

export interface BaseFacts {
  readonly version: string;
  /** Bytes of all databases. */
  readonly size: number;
}

/** Throws a Failure where the cluster has tablespaces: their files lie elsewhere, and would be copied over themselves. */
export async function readBaseFacts(server: Server): Promise<BaseFacts> {
  const session = await connectAsSuperuser(server);
  try {
    const { rows } = await session.query<{ version: string; size: string; tablespaces: string[] }>(
      `SELECT current_setting('server_version') AS version,
              (SELECT sum(pg_catalog.pg_tablespace_size(oid)) FROM pg_catalog.pg_tablespace) AS size,
              ARRAY(SELECT spcname::text FROM pg_catalog.pg_tablespace
                     WHERE spcname NOT IN ('pg_default', 'pg_global') ORDER BY 1) AS tablespaces`,
    );
    const { version = '', size = '0', tablespaces = [] } = rows[0] ?? {};
    if (tablespaces.length > 0) {
      throw new Failure(
        `cannot make a base backup: the cluster has tablespaces outside of its folder (${tablespaces.join(', ')})`,
        {
          remedy:
            'make dumps instead (bulkhead backup run daily), or move their tables back: ALTER TABLE … SET TABLESPACE pg_default',
          exitCode: CommandExit.refused,
        },
      );
    }
    return { version, size: Number(size) };
  } finally {
    await session.end();
  }
}

/** What --progress says: `31234/31234 kB (100%), 1/1 tablespace`. */
const PROGRESS = /^\s*(\d+)\/(\d+) kB/;

export async function copyBaseInto(
  job: Job,
  server: Server,
  place: PostgresPlace,
  facts: BaseFacts,
  stage: string,
): Promise<BackupContent> {
  const { binaries } = place;
  const basebackup = requireTool(binaries, 'pg_basebackup', 'make a base backup');
  const verifybackup = requireTool(binaries, 'pg_verifybackup', 'verify a base backup');
  const folder = join(stage, CLUSTER_FOLDER);
  const { argv, env } = asSuperuser(server, binaries);
  const tell = tellBytes('copying the cluster', facts.size, job.report);
  const copied = await runTool(
    [
      basebackup,
      ...argv,
      `--pgdata=${folder}`,
      '--checkpoint=fast',
      '--wal-method=stream',
      '--manifest-checksums=SHA256',
      '--progress',
      // Everything is synced once, when it is sealed.
      '--no-sync',
    ],
    {
      env,
      signal: job.signal,
      onLine: (line) => {
        const done = PROGRESS.exec(line)?.[1];
        if (done !== undefined) tell(Number(done) * 1024);
      },
    },
  );
  job.signal.throwIfAborted();
  if (copied.failed) throw dumpFailure('make a base backup', copied);
  // What it is restored to is the end of the copy, when all of it fits together.
  const startedAt = new Date().toISOString();
  const checked = await runTool([verifybackup, '--exit-on-error', '--quiet', folder], {
    env,
    signal: job.signal,
  });
  job.signal.throwIfAborted();
  if (checked.failed) throw dumpFailure('make a base backup: pg_verifybackup finds it damaged', checked);
  return {
    startedAt,
    server: {
      version: facts.version,
      major: binaries.major,
      systemIdentifier: readSystemIdentifier(folder),
    },
    wal: readWalRange(folder),
  };
}

function readWalRange(folder: string): NonNullable<BackupContent['wal']> {
  const manifest: unknown = JSON.parse(readFileSync(join(folder, 'backup_manifest'), 'utf8'));
  const ranges = (manifest as { readonly 'WAL-Ranges': readonly WalRange[] })['WAL-Ranges'];
  const [first] = ranges;
  const last = ranges.at(-1);
  if (!first || !last) throw new Error('backup_manifest names no WAL');
  return { startLsn: first['Start-LSN'], endLsn: last['End-LSN'], timeline: last.Timeline };
}

interface WalRange {
  readonly Timeline: number;
  readonly 'Start-LSN': string;
  readonly 'End-LSN': string;
}
