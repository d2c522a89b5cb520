/** A backup is there whole, under its id, or not at all: filled in a stage, its manifest last, then renamed. */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../base/version.ts';
import { isOfFirstForm } from '../postgres/fingerprint.ts';
import { STAGE } from '../postgres/stages.ts';
import { type BackupKind, type BackupManifest, MANIFEST } from '../protocol/backups.ts';
import { syncFolder, writeFileAtomic } from '../system/write-file-atomic.ts';
import { makeBackupId } from './backup-id.ts';
import { sealFolder } from './seal.ts';
import { readShelf, requireWhole, type WholeBackup } from './shelf.ts';

/** What only the maker of a kind knows. */
export type BackupContent = Pick<
  BackupManifest,
  'startedAt' | 'server' | 'databases' | 'wal' | 'recipients' | 'parent'
>;

export interface BackupMaking {
  /** `<data>/backups` */
  readonly root: string;
  readonly kind: BackupKind;
  readonly installId: string | undefined;
  readonly signal: AbortSignal;
  /** Why it is made, where nobody asked for it. */
  readonly label?: BackupManifest['label'];
  /** Puts the files into the stage, a folder of mode 0700. */
  fill(stage: string): Promise<BackupContent>;
  /** Told while the files are hashed. */
  onSealed?(bytes: number): void;
}

export async function makeBackup(making: BackupMaking): Promise<WholeBackup> {
  const { root, kind, signal } = making;
  const shelf = join(root, kind);
  if (!existsSync(shelf)) {
    mkdirSync(shelf, { recursive: true, mode: 0o750 });
    syncFolder(root);
  }
  const id = makeBackupId(kind, new Date());
  const stage = join(shelf, `${STAGE}${id}`);
  mkdirSync(stage, { mode: 0o700 });
  try {
    const content = await making.fill(stage);
    const { files, emptyFolders } = await sealFolder(stage, signal, making.onSealed);
    const manifest: BackupManifest = {
      schema: hasNewForm(content) ? 2 : 1,
      id,
      kind,
      endedAt: new Date().toISOString(),
      installId: making.installId,
      tool: VERSION,
      number: nextNumber(root, kind),
      ...(making.label === undefined ? {} : { label: making.label }),
      ...content,
      files,
      ...(emptyFolders.length > 0 ? { emptyFolders } : {}),
    };
    signal.throwIfAborted();
    writeFileAtomic(join(stage, MANIFEST), `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o640 });
    chmodSync(stage, 0o750);
    renameSync(stage, join(shelf, id));
    syncFolder(shelf);
  } catch (error) {
    // Asked to stop there is no time for it, and the next run sweeps.
    if (!signal.aborted) rmSync(stage, { recursive: true, force: true });
    throw error;
  }
  const made = readShelf(root, [kind]).find((backup) => backup.id === id);
  if (!made) throw new Error(`${id} is not where it was put`);
  return requireWhole(made);
}

function hasNewForm({ databases = [] }: BackupContent): boolean {
  return databases.some(({ tables }) => tables.some(({ hash }) => !isOfFirstForm(hash)));
}

/** Under the lock of the backups, so no two get the same. */
function nextNumber(root: string, kind: BackupKind): number {
  return 1 + Math.max(0, ...readShelf(root, [kind]).map(({ manifest }) => manifest?.number ?? 0));
}
