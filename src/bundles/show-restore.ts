/** The dump of a bundle, restored into a scratch cluster of this host and compared, where there is a server to do it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BadBackup } from '../backups/bad-backup.ts';
import { restoreDump } from '../backups/restore-dump.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { findInstallations, findTool } from '../postgres/binaries.ts';
import { makeOwned } from '../postgres/initdb.ts';
import { layoutOf } from '../postgres/layout.ts';
import { databaseUser } from '../postgres/system-user.ts';
import { freeBytes } from '../system/files.ts';
import type { DumpedSource } from './dump-source.ts';

/** Larger ones take long, and the new host compares every row anyway. Bytes of the database. */
const LARGEST = 2 * 1024 ** 3;
/** Cluster, WAL and indexes, beside the size of the database. */
const ROOM = 2;
const OVERHEAD = 512 * 1024 ** 2;

/**
 * Undefined: it was restored, and every row came out. Otherwise why it was not tried. @param file the dump
 * @throws Failure where it was tried and something else came out.
 */
export async function showRestore(
  { database, extensions, bytes, clients }: DumpedSource,
  file: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (bytes > LARGEST) return `the database is larger than ${formatSize(LARGEST)}`;
  const scratch = mkdtempSync(join(tmpdir(), 'bulkhead-bundle-'));
  try {
    const layout = layoutOf(join(scratch, 'data'), join(scratch, 'run'));
    const needed = bytes * ROOM + OVERHEAD;
    if (freeBytes(scratch) < needed) return `${tmpdir()} has less than ${formatSize(needed)} free`;
    const binaries = findInstallations(join(scratch, 'lib')).find(
      (each) => each.major >= clients.major && findTool(each, 'pg_restore') !== undefined,
    );
    if (binaries === undefined) return `no server of PostgreSQL ${clients.major} or newer is here`;
    const user = databaseUser('postgres');
    chmodSync(scratch, 0o755);
    for (const path of [layout.dataDir, join(scratch, 'run')]) mkdirSync(path);
    for (const path of [layout.pg, layout.sockets]) makeOwned(path, user);
    await restoreDump(
      {
        plan: { user: database.user },
        assignment: { dataDir: layout.dataDir },
        signal,
        report: () => undefined,
      },
      { layout, binaries, user },
      {
        id: 'the dump',
        databases: [{ ...database, owner: database.user, extensions }],
        fileOf: () => file,
        largeObjects: database.largeObjects,
      },
    );
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BadBackup) {
      throw new Failure(
        `cannot bundle the database ${database.name}: its dump does not restore: ${error.message}`,
        {
          remedy: 'mend what is said of it at its source; nothing was written',
        },
      );
    }
    return messageOf(error);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
