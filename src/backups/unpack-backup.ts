/** The program `unpack-backup`: what is in a backup, into a new folder; nothing that is in use is touched. */
import {
  chmodSync,
  createWriteStream,
  existsSync,
  lchownSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Bytes } from '../archives/age.ts';
import { createEntryPaths } from '../archives/entry-path.ts';
import type { TarEntry } from '../archives/read-tar.ts';
import { codeOf, Failure } from '../base/errors.ts';
import type { Job } from '../program/job.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { restoreAssetsInto } from './assets/restore-assets.ts';
import { TREE_FILE } from './assets/tree.ts';
import { lockBackups } from './backups-room.ts';
import { CONFIG_FILE, readConfig } from './config/config-backup.ts';
import { decryptBackup, isEncrypted, readIdentityFile } from './encrypt-backup.ts';
import { blobsOf } from './make-files.ts';
import { findBackup, readShelf, requireWhole, type WholeBackup } from './shelf.ts';

/** Input: `id`; `into`, a folder that is not there; `identity`, the file of the key of an encrypted one. */
export async function runUnpackBackup(job: Job): Promise<void> {
  const { id = '', into = '', identity } = job.assignment.input;
  const target = resolve('/', into);
  if (into === '' || existsSync(target)) {
    throw new Failure(`cannot unpack into ${target}: there is something of that name`, {
      remedy: 'name a folder that is not there yet',
      exitCode: CommandExit.refused,
    });
  }
  const root = join(job.assignment.dataDir, 'backups');
  const lock = lockBackups(root);
  const stage = join(dirname(target), `.stage-unpack-${process.pid}`);
  try {
    const backup = requireWhole(findBackup(readShelf(root), id));
    const { signal } = job;
    if (backup.kind === 'assets') {
      await restoreAssetsInto(target, {
        id: backup.id,
        tree: join(backup.folder, TREE_FILE),
        blobs: blobsOf(root),
        signal,
      });
    } else {
      if (backup.kind === 'config') await unpackConfig(backup, readIdentityFile(identity), stage);
      else if (backup.manifest.recipients !== undefined)
        await decryptBackup(backup, readIdentityFile(identity), stage, signal);
      else throw alreadyPlain(backup);
      renameSync(stage, target);
    }
    job.report({ type: 'result', value: { id: backup.id, into: target } });
  } finally {
    rmSync(stage, { recursive: true, force: true });
    lock.release();
  }
}

function alreadyPlain({ id, folder }: WholeBackup): Failure {
  return new Failure(`cannot unpack ${id}: it lies there as it is, in ${folder}`, {
    remedy: `put it in the place of the database: bulkhead backup restore ${id}`,
    exitCode: CommandExit.refused,
  });
}

async function unpackConfig(backup: WholeBackup, identity: string | undefined, stage: string): Promise<void> {
  const sealed = backup.manifest.recipients !== undefined;
  const file = join(backup.folder, sealed ? `${CONFIG_FILE}.age` : CONFIG_FILE);
  const names = createEntryPaths(file);
  mkdirSync(stage, { mode: 0o700 });
  const write = async (entry: TarEntry, body: Bytes): Promise<void> => {
    names.check(entry.path, entry.kind);
    const path = join(stage, entry.path);
    if (entry.kind === 'directory') mkdirSync(path, { mode: 0o755 });
    else if (entry.kind === 'symlink') symlinkSync(entry.target ?? '', path);
    else {
      await pipeline(body, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
      chmodSync(path, entry.mode);
    }
    giveBack(path, entry);
  };
  if (sealed && identity === undefined) throw isEncrypted(backup.id);
  await readConfig(file, sealed ? identity : undefined, write);
}

/** Only who has the right may give files away; whoever else unpacks owns them. */
function giveBack(path: string, { uid, gid }: TarEntry): void {
  try {
    lchownSync(path, uid, gid);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
  }
}
