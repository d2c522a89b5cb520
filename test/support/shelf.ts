/** Backups as files, made without a database. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBackupId } from '../../src/backups/backup-id.ts';
import type { BackupKind, BackupManifest, Verification } from '../../src/protocol/backups.ts';

export interface ShelvedOptions {
  readonly kind?: BackupKind;
  readonly content?: string;
  readonly verified?: Partial<Verification>;
  readonly pinned?: boolean;
  readonly parent?: string;
}

/** Puts a whole backup into the folder and returns its id. */
export function shelve(root: string, startedAt: string, options: ShelvedOptions = {}): string {
  const { kind = 'dump', content = 'PGDMP', verified, pinned, parent } = options;
  const id = makeBackupId(kind, new Date(startedAt));
  const folder = join(root, kind, id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'app.pgdump'), content);
  const manifest: BackupManifest = {
    schema: 1,
    id,
    kind,
    startedAt,
    endedAt: startedAt,
    installId: undefined,
    tool: '0',
    files: [
      {
        path: 'app.pgdump',
        size: Buffer.byteLength(content),
        sha256: createHash('sha256').update(content).digest('hex'),
      },
    ],
    ...(parent === undefined ? {} : { parent }),
  };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  if (verified) {
    const verification: Verification = {
      level: 'restored',
      at: startedAt,
      ok: true,
      problem: undefined,
      durationMs: 1,
      ...verified,
    };
    writeFileSync(join(folder, 'verified.json'), JSON.stringify(verification));
  }
  if (pinned) writeFileSync(join(folder, 'pinned'), '');
  return id;
}
