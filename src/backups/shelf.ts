/** The backups that lie in a folder. Reading it needs no server and no supervisor. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import {
  BACKUP_KINDS,
  type BackupKind,
  type BackupManifest,
  type BackupView,
  MANIFEST,
  OFFSITE,
  PINNED,
  VERIFIED,
  type Verification,
} from '../protocol/backups.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { parseBackupId } from './backup-id.ts';
import { parseManifest } from './manifest.ts';

/** A folder of a backup's name. */
export interface ShelvedBackup {
  readonly id: string;
  readonly kind: BackupKind;
  readonly folder: string;
  /** ISO 8601: of the manifest, else of the name. */
  readonly startedAt: string;
  readonly pinned: boolean;
  readonly verified: Verification | undefined;
  /** Where copies of it are. */
  readonly offsite: readonly string[];
  readonly manifest: BackupManifest | undefined;
  /** Why it cannot be used; undefined where its manifest can be read and every file has its size. */
  readonly broken: string | undefined;
}

export interface WholeBackup extends ShelvedBackup {
  readonly manifest: BackupManifest;
  readonly broken: undefined;
}

/** Newest first. `root`: `<data>/backups`, or any folder laid out like it; one that is not there holds none. */
export function readShelf(root: string, kinds: readonly BackupKind[] = BACKUP_KINDS): ShelvedBackup[] {
  return kinds
    .flatMap((kind) =>
      namesIn(join(root, kind)).flatMap((id) =>
        parseBackupId(id)?.kind === kind ? [readBackup(join(root, kind, id), id, kind)] : [],
      ),
    )
    .sort((a, b) => compare(b.startedAt, a.startedAt) || compare(b.id, a.id));
}

/** The backup in this very folder, whatever its name: its manifest says which it is. */
export function readBackupAt(folder: string): ShelvedBackup {
  let id = basename(folder);
  try {
    const found: { readonly id?: unknown } | null = JSON.parse(readManifest(folder));
    if (typeof found?.id === 'string') id = found.id;
  } catch {
    // Told by what is broken about it.
  }
  const kind = parseBackupId(id)?.kind;
  if (kind === undefined) throw new Failure(`cannot use ${folder}: its ${MANIFEST} names no backup`);
  return readBackup(folder, id, kind);
}

export function isWhole(backup: ShelvedBackup): backup is WholeBackup {
  return backup.manifest !== undefined && backup.broken === undefined;
}

/**
 * The backup that is meant: by its id, by a beginning of it that no other has, or `latest`, the newest that is whole
 * and was not made before a migration.
 * Throws a Failure where there is none, or more than one.
 */
export function findBackup(
  shelf: readonly ShelvedBackup[],
  wanted: string,
  kind?: BackupKind,
): ShelvedBackup {
  const among = kind === undefined ? shelf : shelf.filter((backup) => backup.kind === kind);
  if (wanted === 'latest') {
    // One that was made before a migration is there to undo that; after a bad one, it is not what is meant.
    const newest =
      among.find((each) => isWhole(each) && each.manifest.label === undefined) ?? among.find(isWhole);
    if (newest) return newest;
    throw new Failure(
      `cannot find the latest backup: there is no whole one${kind ? ` of kind ${kind}` : ''}`,
      {
        remedy: 'make one: bulkhead backup run daily',
        exitCode: CommandExit.unknownName,
      },
    );
  }
  const found = among.filter(({ id }) => id === wanted || (wanted !== '' && id.startsWith(wanted)));
  const exact = found.find(({ id }) => id === wanted) ?? (found.length === 1 ? found[0] : undefined);
  if (exact) return exact;
  throw new Failure(
    found.length === 0
      ? `cannot find backup ${wanted}: there is none of that name`
      : `cannot tell which backup ${wanted} is: ${found.length} begin like that`,
    {
      remedy:
        found.length === 0
          ? 'see which there are: bulkhead backup list'
          : `write more of it: ${found
              .slice(0, 3)
              .map(({ id }) => id)
              .join(', ')}`,
      exitCode: CommandExit.unknownName,
    },
  );
}

/** Throws a Failure where it cannot be used. */
export function requireWhole(backup: ShelvedBackup): WholeBackup {
  if (isWhole(backup)) return backup;
  throw new Failure(`cannot use backup ${backup.id}: ${backup.broken ?? 'it has no manifest'}`, {
    remedy: 'use another one: bulkhead backup list',
  });
}

export function viewOf(backup: ShelvedBackup): BackupView {
  const { id, kind, startedAt, verified, pinned, offsite, manifest, broken } = backup;
  const size = (manifest?.files ?? []).reduce((sum, file) => sum + file.size, 0);
  const label = manifest?.label;
  return { id, kind, startedAt, size, verified, pinned, offsite, broken, ...(label && { label }) };
}

function readBackup(folder: string, id: string, kind: BackupKind): ShelvedBackup {
  const base = {
    id,
    kind,
    folder,
    pinned: existsSync(join(folder, PINNED)),
    verified: readBeside<Verification>(join(folder, VERIFIED), 'level'),
    offsite: readBeside<{ copies: string[] }>(join(folder, OFFSITE), 'copies')?.copies ?? [],
  };
  const named = parseBackupId(id)?.at ?? '';
  try {
    const manifest = parseManifest(readManifest(folder), id);
    return { ...base, manifest, startedAt: manifest.startedAt, broken: findMissing(folder, manifest) };
  } catch (error) {
    return { ...base, manifest: undefined, startedAt: named, broken: messageOf(error) };
  }
}

function readManifest(folder: string): string {
  try {
    return readFileSync(join(folder, MANIFEST), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new Error('it has no manifest', { cause: error });
    throw error;
  }
}

/** What a look at the folder shows; that the content is right is shown by `verify` alone. */
function findMissing(folder: string, { files }: BackupManifest): string | undefined {
  for (const { path, size } of files) {
    const found = lstatSync(join(folder, path), { throwIfNoEntry: false });
    if (!found?.isFile()) return `${path} is missing`;
    if (found.size !== size) return `${path} has ${found.size} bytes instead of ${size}`;
  }
  return undefined;
}

/** What is written beside a backup later; one that cannot be read counts as not there. */
function readBeside<T>(path: string, word: keyof T): T | undefined {
  try {
    const found: T = JSON.parse(readFileSync(path, 'utf8'));
    return typeof found === 'object' && found !== null && word in found ? found : undefined;
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw new Failure(`cannot read ${folder}: ${messageOf(error)}`, {
      remedy: 'look as root, or as the user of the database',
      cause: error,
    });
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
