/** A dump that has been verified is encrypted: nobody can verify it afterwards but the owner of the key. */
import { chmodSync, createReadStream, createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { decrypt, encrypt } from '../archives/age.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { STAGE } from '../postgres/stages.ts';
import { type BackupManifest, MANIFEST, VERIFIED } from '../protocol/backups.ts';
import { readTextIfExists } from '../system/files.ts';
import { swapFolder } from '../system/swap-folder.ts';
import { writeFileAtomic } from '../system/write-file-atomic.ts';
import { replacedName } from './replaced.ts';
import { sealFolder } from './seal.ts';
import { readShelf, requireWhole, type WholeBackup } from './shelf.ts';

const ENDING = '.age';

/** Takes the place of the plain one, under its id, in one step; `verified.json` goes with it. */
export async function encryptBackup(
  backup: WholeBackup,
  recipients: readonly string[],
  signal: AbortSignal,
): Promise<WholeBackup> {
  const shelf = dirname(backup.folder);
  const stage = join(shelf, `${STAGE}${backup.id}`);
  const aside = join(shelf, replacedName(backup.id));
  mkdirSync(stage, { mode: 0o700 });
  try {
    for (const { path } of backup.manifest.files) {
      mkdirSync(dirname(join(stage, path)), { recursive: true, mode: 0o700 });
      await pipeline(
        encrypt(createReadStream(join(backup.folder, path)), { recipients }),
        createWriteStream(join(stage, `${path}${ENDING}`), { flags: 'wx', mode: 0o600 }),
        { signal },
      );
    }
    const { files } = await sealFolder(stage, signal);
    const manifest: BackupManifest = { ...backup.manifest, files, recipients };
    const verified = readTextIfExists(join(backup.folder, VERIFIED));
    if (verified !== undefined) writeFileAtomic(join(stage, VERIFIED), verified, { mode: 0o640 });
    writeFileAtomic(join(stage, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o640 });
    chmodSync(stage, 0o750);
    signal.throwIfAborted();
    swapFolder(backup.folder, stage, aside);
    rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    if (!signal.aborted) rmSync(stage, { recursive: true, force: true });
    throw error;
  }
  const made = readShelf(dirname(shelf), [backup.kind]).find(({ id }) => id === backup.id);
  if (!made) throw new Error(`${backup.id} is not where it was put`);
  return requireWhole(made);
}

/**
 * The same backup with its files decrypted, in `folder`, a new one that the caller removes; it has a manifest of its own
 * and can be restored from there. One that is not encrypted is returned as it is. `identity`: the text of a key's file. @throws Failure where the identity is missing or does not fit.
 */
export async function decryptBackup(
  backup: WholeBackup,
  identity: string | undefined,
  folder: string,
  signal: AbortSignal,
): Promise<WholeBackup> {
  if (backup.manifest.recipients === undefined) return backup;
  if (identity === undefined) throw isEncrypted(backup.id);
  mkdirSync(folder, { mode: 0o700 });
  for (const { path } of backup.manifest.files) {
    const target = join(folder, path.slice(0, -ENDING.length));
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    await pipeline(
      decrypt(createReadStream(join(backup.folder, path)), { identity }, `${backup.id}/${path}`),
      createWriteStream(target, { flags: 'wx', mode: 0o600 }),
      { signal },
    );
  }
  const { files } = await sealFolder(folder, signal);
  const { recipients: _, ...manifest } = backup.manifest;
  const plain: BackupManifest = { ...manifest, files };
  writeFileAtomic(join(folder, MANIFEST), `${JSON.stringify(plain, null, 1)}\n`, { mode: 0o600 });
  return { ...backup, folder, manifest: plain };
}

const REMEDY = 'name the file of its identity: --identity FILE, or the variable BACKUP_IDENTITY_FILE';

export function isEncrypted(id: string): Failure {
  return new Failure(`cannot read the backup ${id}: it is encrypted`, { remedy: REMEDY, code: 'wrong-key' });
}

/** The text of a file of age-keygen; undefined where none was named. */
export function readIdentityFile(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const why = messageOf(cause);
    throw new Failure(`cannot read the identity ${path}: ${why}`, {
      remedy: REMEDY,
      cause,
      code: 'wrong-key',
    });
  }
}
