/**
 * Walks a folder without ever following a link: each folder is opened once, and what is in it is named through that
 * descriptor (`/proc/self/fd/N/name`), so that nobody can put a link in a folder's place while we are inside.
 */
import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { codeOf, Failure, messageOf } from '../../base/errors.ts';

export type Found =
  | {
      readonly kind: 'file' | 'folder' | 'link';
      /** Below the root. */
      readonly path: string;
      /** By which it can be opened now; stale at the next step of the walk. */
      readonly door: string;
      readonly stats: Stats;
      readonly target?: string;
    }
  | { readonly kind: 'special'; readonly path: string; readonly what: string };

const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** In the order of `comparePaths`, the root itself not among them. @throws Failure where something cannot be looked at. */
export function* walkFolder(root: string): Generator<Found> {
  yield* inside(root, '');
}

function* inside(door: string, prefix: string): Generator<Found> {
  const fd = tryOpen(door, prefix || door);
  if (fd === undefined) return;
  try {
    const here = `/proc/self/fd/${fd}`;
    const names = readdirSync(here, { encoding: 'buffer' }).map(nameOf);
    names.sort((a, b) => (a.text < b.text ? -1 : 1));
    for (const { text, bytes } of names) {
      const path = prefix === '' ? text : `${prefix}/${text}`;
      // A name that is no UTF-8 cannot be written down as it is.
      if (!Buffer.from(text).equals(bytes)) {
        yield { kind: 'special', path, what: 'a name that is not UTF-8' };
        continue;
      }
      const found = look(`${here}/${text}`, path);
      if (found === undefined) continue;
      yield found;
      if (found.kind === 'folder') yield* inside(found.door, path);
    }
  } finally {
    closeSync(fd);
  }
}

function nameOf(bytes: Buffer): { readonly text: string; readonly bytes: Buffer } {
  return { text: bytes.toString('utf8'), bytes };
}

function look(door: string, path: string): Found | undefined {
  const stats = lstatSync(door, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (stats.isFile()) return { kind: 'file', path, door, stats };
  if (stats.isDirectory()) return { kind: 'folder', path, door, stats };
  if (stats.isSymbolicLink()) {
    const target = tryRead(() => readlinkSync(door));
    return target === undefined ? undefined : { kind: 'link', path, door, stats, target };
  }
  const what = stats.isSocket() ? 'a socket' : stats.isFIFO() ? 'a pipe' : 'a device';
  return { kind: 'special', path, what };
}

function tryOpen(door: string, name: string): number | undefined {
  try {
    return tryRead(() => openSync(door, FOLDER));
  } catch (cause) {
    throw new Failure(`cannot back up the folder ${name}: ${messageOf(cause)}`, {
      remedy: `make it readable for uid ${process.geteuid?.() ?? 0}: a backup with holes is none`,
      cause,
    });
  }
}

/** Undefined where it went away, or became something else, since its name was read. */
export function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EINVAL'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}
