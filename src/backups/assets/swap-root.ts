/**
 * Puts restored assets in the place of what is there. A mark is left before the first rename, so that whatever was
 * interrupted is finished by the next restore, and taken by no backup for what the application has.
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure, messageOf } from '../../base/errors.ts';
import { type HeldFolder, holdExactly } from '../../system/held-folder.ts';
import { isMountPoint, swapFolder } from '../../system/swap-folder.ts';
import { syncFolder, writeFileAtomic } from '../../system/write-file-atomic.ts';

/** Begins the names of marks. */
const SWAP_MARK = '.restoring-';

interface Mark {
  /** `out`: what was there is put aside; `in`: the new comes; `whole`: the folder itself changes places. */
  readonly step: 'out' | 'in' | 'whole';
  /** Names beside the mark. */
  readonly stage: string;
  readonly aside: string;
}

/** Inside of what is a mount, whose entries change places one by one; else beside. */
function markPaths(folder: string): { readonly inside: string; readonly beside: string } {
  const name = `${SWAP_MARK}${basename(folder)}`;
  return { inside: join(folder, name), beside: join(dirname(folder), name) };
}

function findMark(folder: string): string | undefined {
  const { inside, beside } = markPaths(folder);
  return [inside, beside].find((path) => existsSync(path));
}

/** Whether a restore of this folder was interrupted, or could not be undone. */
export function isSwapOpen(folder: string): boolean {
  return findMark(folder) !== undefined;
}

/** @throws Failure where a restore of this folder was interrupted: neither the old nor the new is there as a whole */
export function requireNoSwap(folder: string): void {
  const mark = findMark(folder);
  if (mark === undefined) return;
  throw new Failure(
    `cannot back up ${folder}: an interrupted restore: ${mark} says that its files are not all there`,
    {
      remedy:
        'restore the assets once more, which finishes it: bulkhead backup restore latest --kind assets --replace',
    },
  );
}

/**
 * `stage`, whole and on the disk, becomes `folder`; what was there is `aside`. An error changes nothing, or leaves the
 * mark and everything that is marked.
 */
export function swapRoot(folder: string, stage: string, aside: string): void {
  const { inside, beside } = markPaths(folder);
  if (isMountPoint(folder)) {
    swapEntries(folder, inside, stage, aside);
    return;
  }
  const inode = lstatSync(folder, { throwIfNoEntry: false })?.ino;
  note(beside, { step: 'whole', stage: basename(stage), aside: basename(aside) });
  try {
    swapFolder(folder, stage, aside);
  } catch (error) {
    if (lstatSync(folder, { throwIfNoEntry: false })?.ino === inode) rmSync(beside);
    throw error;
  }
  rmSync(beside);
  syncFolder(dirname(beside));
}

/** Finishes what was interrupted, if anything was. Whatever has been written there since goes aside as well. */
export function finishSwap(folder: string): void {
  const path = findMark(folder);
  if (path === undefined) return;
  const { step, stage: stageName, aside: asideName } = readMark(path);
  const stage = join(dirname(path), stageName);
  const aside = join(dirname(path), asideName);
  if (step === 'whole') finishWhole(folder, stage, aside);
  else {
    const moves = new Moves();
    try {
      if (step === 'out') moveOut(folder, [path, stage, aside], aside, moves);
      note(path, { step: 'in', stage: stageName, aside: asideName });
      moveIn(folder, stage, aside, moves);
    } finally {
      moves.close();
    }
  }
  rmSync(path);
  syncFolder(dirname(path));
}

/** The entries of a mount point, which keeps its name. */
export function swapEntries(folder: string, mark: string, stage: string, aside: string): void {
  const names = { stage: basename(stage), aside: basename(aside) };
  const moves = new Moves();
  note(mark, { step: 'out', ...names });
  try {
    moveOut(folder, [mark, stage, aside], aside, moves);
    note(mark, { step: 'in', ...names });
    moveIn(folder, stage, aside, moves);
  } catch (error) {
    moves.undo();
    if (isThere(aside) && readdirSync(moves.hold(aside)).length === 0) rmdirSync(aside);
    rmSync(mark);
    throw error;
  } finally {
    moves.close();
  }
  rmSync(mark);
  syncFolder(folder);
}

/**
 * Of entries of folders that are held: who owns the mount could put a link in the place of one and have us move what is
 * elsewhere.
 */
class Moves {
  private readonly done: (readonly [string, string])[] = [];
  private readonly held = new Map<string, HeldFolder>();

  /** The folder of that path, as it was when it was first asked for. */
  hold(path: string): string {
    const folder = this.held.get(path) ?? holdExactly(path);
    this.held.set(path, folder);
    return folder.door;
  }

  move(from: string, to: string): void {
    renameSync(from, to);
    this.done.push([from, to]);
  }

  undo(): void {
    for (const [from, to] of this.done.reverse()) renameSync(to, from);
  }

  close(): void {
    for (const folder of this.held.values()) folder.close();
  }
}

function moveOut(folder: string, staying: readonly string[], aside: string, moves: Moves): void {
  if (!isThere(aside)) mkdirSync(aside, { mode: 0o700 });
  const away = moves.hold(aside);
  // By name: the folder itself may have several, as the one that is held has.
  const stays = new Set([...staying.map((path) => basename(path)), 'lost+found']);
  for (const name of readdirSync(folder)) {
    if (!stays.has(name)) moves.move(join(folder, name), freeName(join(away, name)));
  }
  syncFolder(away);
  syncFolder(folder);
}

function moveIn(folder: string, stage: string, aside: string, moves: Moves): void {
  if (!isThere(stage)) return;
  const from = moves.hold(stage);
  for (const name of readdirSync(from)) {
    const to = join(folder, name);
    if (name !== 'lost+found' && isThere(to)) moves.move(to, freeName(join(moves.hold(aside), name)));
    moves.move(join(from, name), to);
  }
  syncFolder(folder);
  rmdirSync(stage);
}

function finishWhole(folder: string, stage: string, aside: string): void {
  if (!isThere(stage)) return;
  // Where both are there, the stage has what was there before, or a copy that never came to its place.
  if (!isThere(folder)) renameSync(stage, folder);
  else renameSync(stage, freeName(aside));
  syncFolder(dirname(folder));
}

function note(path: string, mark: Mark): void {
  writeFileAtomic(path, `${JSON.stringify(mark)}\n`, { mode: 0o600 });
}

/** Whoever owns the folder can write it: it names nothing but folders beside itself. */
function readMark(path: string): Mark {
  try {
    const { step, stage, aside } = JSON.parse(readOwn(path)) as Mark;
    const isName = (name: string, begin: string): boolean => name.startsWith(begin) && !name.includes('/');
    if (!['out', 'in', 'whole'].includes(step)) throw new Error(`it names no step: ${step}`);
    if (!isName(stage, '.stage-restore-') || !isName(aside, '.before-'))
      throw new Error('it names other folders');
    for (const name of [stage, aside]) {
      const stats = lstatSync(join(dirname(path), name), { throwIfNoEntry: false });
      if (stats !== undefined && !stats.isDirectory()) throw new Error(`${name} is no folder`);
    }
    return { step, stage, aside };
  } catch (cause) {
    throw new Failure(`cannot finish an interrupted restore: ${path} cannot be read: ${messageOf(cause)}`, {
      remedy: 'look at what is beside it, put your files into their place, and remove it',
      cause,
    });
  }
}

/** No link to, and no other name of, what the owner of the folder may not read: an error tells its beginning. */
function readOwn(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    const { nlink, size } = stats;
    if (!stats.isFile() || nlink !== 1 || size > 4096) throw new Error('it is no mark');
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** With a number where the name is taken. */
export function freeName(path: string): string {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? path : `${path}-${count}`;
    if (!isThere(name)) return name;
  }
}
