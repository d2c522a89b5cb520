/**
 * Puts restored assets in the place of what is there. A mark is left before the first rename, so that whatever was
 * interrupted is finished by the next restore, and taken by no backup for what the application has.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Failure, messageOf } from '../../base/errors.ts';
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
    if (step === 'out') moveOut(folder, [path, stage, aside], aside, moves);
    note(path, { step: 'in', stage: stageName, aside: asideName });
    moveIn(folder, stage, aside, moves);
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
    if (existsSync(aside) && readdirSync(aside).length === 0) rmdirSync(aside);
    rmSync(mark);
    throw error;
  }
  rmSync(mark);
  syncFolder(folder);
}

class Moves {
  private readonly done: (readonly [string, string])[] = [];

  move(from: string, to: string): void {
    renameSync(from, to);
    this.done.push([from, to]);
  }

  undo(): void {
    for (const [from, to] of this.done.reverse()) renameSync(to, from);
  }
}

function moveOut(folder: string, staying: readonly string[], aside: string, moves: Moves): void {
  if (!existsSync(aside)) mkdirSync(aside, { mode: 0o700 });
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (!staying.includes(path) && name !== 'lost+found') moves.move(path, freeName(join(aside, name)));
  }
  syncFolder(aside);
  syncFolder(folder);
}

function moveIn(folder: string, stage: string, aside: string, moves: Moves): void {
  if (!existsSync(stage)) return;
  for (const name of readdirSync(stage)) {
    const to = join(folder, name);
    if (name !== 'lost+found' && isThere(to)) moves.move(to, freeName(join(aside, name)));
    moves.move(join(stage, name), to);
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
    const { step, stage, aside } = JSON.parse(readFileSync(path, 'utf8')) as Mark;
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
