/** Backups on a shelf without a database: a folder of bytes with a true manifest, and assets as they are taken. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeAssets } from '../../src/backups/assets/take-assets.ts';
import { TREE_FILE } from '../../src/backups/assets/tree.ts';
import { makeBackupId } from '../../src/backups/backup-id.ts';
import { readShelf, requireWhole, type WholeBackup } from '../../src/backups/shelf.ts';
import type { BackupKind, BackupManifest } from '../../src/protocol/backups.ts';

export const INSTALL = '11111111-2222-3333-4444-555555555555';

interface Shelving {
  readonly root: string;
  readonly at: Date;
  readonly installId?: string;
  readonly verified?: boolean;
}

/** `files`: content by path. */
export function shelveBytes(
  kind: BackupKind,
  files: Readonly<Record<string, Buffer>>,
  shelving: Shelving,
): WholeBackup {
  const id = makeBackupId(kind, shelving.at);
  const folder = join(shelving.root, kind, id);
  mkdirSync(folder, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return seal(id, kind, folder, Object.keys(files), shelving);
}

export async function shelveAssets(
  source: string,
  shelving: Shelving & { readonly previous?: WholeBackup },
): Promise<WholeBackup> {
  const id = makeBackupId('assets', shelving.at);
  const folder = join(shelving.root, 'assets', id);
  mkdirSync(folder, { recursive: true });
  await takeAssets({
    roots: [source],
    blobs: join(shelving.root, 'assets', 'blobs'),
    stage: folder,
    previous: shelving.previous && join(shelving.previous.folder, TREE_FILE),
    signal: new AbortController().signal,
  });
  return seal(id, 'assets', folder, [TREE_FILE], shelving);
}

function seal(
  id: string,
  kind: BackupKind,
  folder: string,
  paths: readonly string[],
  { root, at, installId = INSTALL, verified = true }: Shelving,
): WholeBackup {
  const files = paths.map((path) => ({
    path,
    size: statSync(join(folder, path)).size,
    sha256: createHash('sha256')
      .update(readFileSync(join(folder, path)))
      .digest('hex'),
  }));
  const [startedAt, endedAt] = [at.toISOString(), at.toISOString()];
  const manifest: BackupManifest = {
    schema: 1,
    id,
    kind,
    startedAt,
    endedAt,
    installId,
    tool: 'test',
    files,
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  if (verified) {
    const verification = { level: 'restored', at: endedAt, ok: true, problem: undefined, durationMs: 1 };
    writeFileSync(join(folder, 'verified.json'), JSON.stringify(verification));
  }
  const found = readShelf(root).find((backup) => backup.id === id);
  if (!found) throw new Error('it is not on the shelf');
  return requireWhole(found);
}
