/** What is to be restored: a backup of the shelf, a backup that lies elsewhere, or the dump of anybody. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  findBackup,
  readBackupAt,
  readShelf,
  requireWhole,
  type ShelvedBackup,
  type WholeBackup,
} from '../backups/shelf.ts';
import { Failure } from '../base/errors.ts';
import { MANIFEST } from '../protocol/backups.ts';
import { CommandExit } from '../protocol/exit-codes.ts';

export type Source =
  | { readonly kind: 'dump' | 'base'; readonly backup: WholeBackup }
  | { readonly kind: 'file'; readonly path: string };

/** `wanted`: an id, its beginning, `latest`, or an absolute path. Throws a Failure where there is no such thing. */
export function findSource(dataDir: string, wanted: string): Source {
  if (!wanted.startsWith('/'))
    return asSource(findBackup(readShelf(join(dataDir, 'backups'), ['dump', 'base']), wanted));
  if (!existsSync(wanted)) {
    throw new Failure(`cannot restore ${wanted}: there is no such file`, {
      exitCode: CommandExit.unknownName,
    });
  }
  const path = wanted.replace(/\/+$/, '');
  if (!statSync(path).isDirectory() || !existsSync(join(path, MANIFEST))) return { kind: 'file', path };
  return asSource(readBackupAt(path));
}

function asSource(found: ShelvedBackup): Source {
  const backup = requireWhole(found);
  const { kind } = backup;
  if (kind === 'dump' || kind === 'base') return { kind, backup };
  throw new Failure(`cannot restore ${backup.id} as a database: it is of kind ${kind}`, {
    exitCode: CommandExit.refused,
  });
}
