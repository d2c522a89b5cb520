/**
 * Whose the database's folders on the volume are before a program of root's gives them to the database's user. One that
 * fails late must not leave them with that user: whoever worked there before could not start any more.
 */
import { lchownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { exists } from '../system/files.ts';

/** They change hands with all that is in them; of the folder of clusters only what is new. */
const WHOLE = ['wal', 'backups'] as const;
/** An operation that waits for a start: its cluster is the database's user's, and so is the folder then. */
const WAITING = 'pg/op.json';

/** To be called before the program; what it returns puts everything back that was another's, where the program failed. */
export function rememberOwners(dataDir: string): () => void {
  const before = [...WHOLE, 'pg'].flatMap((name) => {
    const folder = join(dataDir, name);
    const owner = ownerOf(folder);
    return owner === undefined ? [] : [{ name, folder, owner, names: new Set(readdirSync(folder)) }];
  });
  return () => {
    if (exists(join(dataDir, WAITING))) return;
    for (const { name, folder, owner, names } of before) {
      const now = ownerOf(folder);
      if (now === undefined || now.uid === owner.uid) continue;
      for (const each of readdirSync(folder)) {
        if (name === 'pg' && names.has(each)) continue;
        for (const path of pathsFrom(join(folder, each))) {
          if (lstatSync(path).uid === now.uid) lchownSync(path, owner.uid, owner.gid);
        }
      }
      // Last of all, as when it changed hands: a kill before this leaves it to be done again.
      lchownSync(folder, owner.uid, owner.gid);
    }
  };
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

function ownerOf(path: string): Owner | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() ? { uid: stats.uid, gid: stats.gid } : undefined;
}

/** What is in a folder before the folder; links are not followed. */
function* pathsFrom(path: string): Generator<string> {
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) yield* pathsFrom(join(path, name));
  yield path;
}
