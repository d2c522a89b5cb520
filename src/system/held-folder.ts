/**
 * Folders held by a descriptor. Who owns the folder above one may rename it at any moment and put a link in its place;
 * what is named through the descriptor (`/proc/self/fd/N/name`) is in the folder that was opened, wherever its name is.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  type Stats,
  statSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { codeOf, Failure, messageOf } from '../base/errors.ts';

/** Node has no name for it: a descriptor that only marks a place. open(2) */
const O_PATH = 0o10000000;
const FOLDER = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** As many as the kernel follows. path_resolution(7) */
const MOST_LINKS = 40;

export interface HeldFolder {
  /** For people: what it was called when it was opened. */
  readonly path: string;
  /** The folder itself, for as long as it is held. */
  readonly door: string;
  /** A name in it. */
  at(name: string): string;
  /** A second time is fine. */
  close(): void;
}

/**
 * Opens each folder on the way for itself. A link is followed only where root or we made it: whoever else did may want
 * our rights elsewhere. `make`: what is missing is made with this mode.
 * @throws Failure `link` for a link of somebody else; else what the kernel says
 */
export function holdFolder(path: string, make?: number): HeldFolder {
  let rest = partsOf(resolve(path));
  let here = held('/', openSync('/', FOLDER));
  for (let links = 0; ; ) {
    const name = rest.shift();
    if (name === undefined) return here;
    const target = linkIn(here, name);
    if (target !== undefined) {
      if (++links > MOST_LINKS) throw refuse(here, join(here.path, name), 'it leads in a circle');
      rest = [...partsOf(target), ...rest];
      if (target.startsWith('/')) here = step(here, () => held('/', openSync('/', FOLDER)));
    } else here = step(here, () => holdInside(here, name, make));
  }
}

/** A folder in a held one; never through a link. `make`: with this mode where it is missing. */
export function holdInside(folder: HeldFolder, name: string, make?: number): HeldFolder {
  const path = join(folder.path, name);
  try {
    if (make !== undefined) makeMissing(folder.at(name), make);
    return held(path, openSync(folder.at(name), FOLDER));
  } catch (error) {
    const isLink = lstatSync(folder.at(name), { throwIfNoEntry: false })?.isSymbolicLink() === true;
    const why = isLink ? 'it is a symbolic link' : messageOf(error).replace(folder.at(name), path);
    throw new Failure(`cannot use the folder ${path}: ${why}`, {
      code: isLink ? 'link' : (codeOf(error) ?? 'unknown'),
      cause: error,
    });
  }
}

/** A new folder that nobody else may enter, until it is given away. */
export function makeHeld(folder: HeldFolder, name: string): HeldFolder {
  mkdirSync(folder.at(name), 0o700);
  const made = holdInside(folder, name);
  const { uid, mode } = statSync(made.door);
  if (uid === process.geteuid?.() && (mode & 0o77) === 0) return made;
  made.close();
  throw new Failure(`cannot use the folder ${made.path}: somebody has put another one in its place`);
}

/** By path, the last part of which is no link. */
export function holdExactly(path: string): HeldFolder {
  return held(path, openSync(path, FOLDER));
}

/** A link that we have just made, as a path by which its owner can be changed: nobody has put anything in its place. */
export function withLink(path: string, work: (door: string) => void): void {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const stats = fstatSync(fd);
    if (!stats.isSymbolicLink() || stats.uid !== process.geteuid?.() || stats.nlink !== 1)
      throw new Failure(`cannot make the link ${basename(path)}: somebody has put something in its place`);
    work(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

function held(path: string, fd: number): HeldFolder {
  const door = `/proc/self/fd/${fd}`;
  let open = true;
  return {
    path,
    door,
    at: (name) => `${door}/${name}`,
    close() {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

function step(from: HeldFolder, next: () => HeldFolder): HeldFolder {
  try {
    return next();
  } finally {
    from.close();
  }
}

/** Where the link of that name leads; undefined: it is none. */
function linkIn(folder: HeldFolder, name: string): string | undefined {
  const at = folder.at(name);
  const before = lstatSync(at, { throwIfNoEntry: false });
  if (!before?.isSymbolicLink()) return undefined;
  const path = join(folder.path, name);
  if (before.uid !== 0 && before.uid !== process.geteuid?.())
    throw refuse(folder, path, `uid ${before.uid} made it, and may want it to lead elsewhere`);
  const target = readlinkSync(at);
  const after = lstatSync(at, { throwIfNoEntry: false });
  if (after === undefined || !isSame(before, after))
    throw refuse(folder, path, 'it changes while it is read');
  return target;
}

function isSame(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino && one.ctimeMs === other.ctimeMs;
}

function refuse(folder: HeldFolder, path: string, why: string): Failure {
  folder.close();
  return new Failure(`cannot follow the link ${path}: ${why}`, {
    code: 'link',
    remedy: 'put the folder itself there, or let root make the link',
  });
}

function makeMissing(at: string, mode: number): void {
  try {
    mkdirSync(at, mode);
  } catch (error) {
    // Whatever it is: the opening tells.
    if (codeOf(error) !== 'EEXIST' && lstatSync(at, { throwIfNoEntry: false }) === undefined) throw error;
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
