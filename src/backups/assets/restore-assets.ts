/** Puts the files of an assets backup into a folder of their own, or in the place of what is there. */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Failure } from '../../base/errors.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { type HeldFolder, holdFolder, holdInside, makeHeld } from '../../system/held-folder.ts';
import { isMountPoint } from '../../system/swap-folder.ts';
import { syncTree } from '../../system/sync-tree.ts';
import { syncFolder } from '../../system/write-file-atomic.ts';
import { giveAway, type MakeTreeOptions, makeTree } from './make-tree.ts';
import { finishSwap, freeName, isSwapOpen, swapRoot } from './swap-root.ts';
import { openTree } from './tree.ts';

export interface AssetsRestored {
  readonly files: number;
  readonly bytes: number;
  /** Folders that were made, and where what they held is now; undefined: none was there. */
  readonly replaced: readonly { readonly folder: string; readonly kept: string | undefined }[];
}

/**
 * Everything into one new folder, one folder in it for each root. The folder must not be there, and appears only when it is
 * whole and on the disk. @throws Failure where a content is missing or damaged: then nothing is left behind.
 */
export async function restoreAssetsInto(target: string, options: MakeTreeOptions): Promise<AssetsRestored> {
  if (existsSync(target) && readdirSync(target).length > 0) {
    throw new Failure(`cannot restore into ${target}: there is something in it`, {
      remedy: 'name a folder that is not there yet',
      exitCode: CommandExit.refused,
    });
  }
  const parent = holdFolder(dirname(resolve(target)));
  const name = `.stage-restore-${options.id}`;
  let stage: HeldFolder | undefined;
  try {
    rmSync(parent.at(name), { recursive: true, force: true });
    stage = makeHeld(parent, name);
    const { door } = stage;
    const { files, bytes, roots } = await makeTree(options, (root) => {
      mkdirSync(join(door, root), { mode: 0o700 });
      return join(door, root);
    });
    for (const root of roots.values()) giveAway(root);
    syncTree(door);
    chmodSync(door, 0o755);
    syncFolder(door);
    const place = parent.at(basename(resolve(target)));
    if (existsSync(place)) rmdirSync(place);
    renameSync(parent.at(name), place);
    syncFolder(parent.door);
    return { files, bytes, replaced: [] };
  } catch (error) {
    rmSync(parent.at(name), { recursive: true, force: true });
    throw error;
  } finally {
    stage?.close();
    parent.close();
  }
}

/** A root, and the folders by which it is reached: the application may own what lies above it. */
interface Place {
  /** As people call it. */
  readonly folder: string;
  readonly above: HeldFolder;
  /** The same, in the folder above, which is held. */
  readonly at: string;
  /** In which its successor is made and what was there is kept: the folder above, or itself where it is a mount. */
  readonly home: HeldFolder;
  readonly stage: string;
  /** While it is filled. */
  made: HeldFolder | undefined;
}

/**
 * Each root to where it was, or to where `roots` sends it. All of them are whole before the first changes places; what
 * was there is kept beside as `.before-<id>-<name>`, with a number where that is taken: it is never replaced.
 */
export async function restoreAssetsInPlace(
  options: MakeTreeOptions & { readonly roots?: Readonly<Record<string, string>> },
): Promise<AssetsRestored> {
  const { header } = await openTree(options.tree);
  const places = new Map<string, Place>();
  const clear = (): void => {
    for (const { at, home, stage } of places.values())
      if (!isSwapOpen(at)) rmSync(home.at(stage), { recursive: true, force: true });
  };
  try {
    for (const [name, folder] of Object.entries({ ...header.roots, ...options.roots }))
      places.set(name, openPlace(folder, `.stage-restore-${options.id}-${name}`));
    clear();
    const totals = await makeTree(options, (name) => {
      const place = places.get(name);
      if (place === undefined) throw new Failure(`cannot restore ${name}: its tree knows no folder ${name}`);
      place.made = makeHeld(place.home, place.stage);
      return place.made.door;
    });
    for (const root of totals.roots.values()) {
      // Only then: afterwards it is somebody else's, who may put a pipe into it, or a link.
      syncTree(root.at);
      giveAway(root);
      syncFolder(root.at);
    }
    const replaced = [...totals.roots.keys()].flatMap((name) => {
      const place = places.get(name);
      return place === undefined ? [] : [takePlace(place, `.before-${options.id}-${name}`)];
    });
    return { files: totals.files, bytes: totals.bytes, replaced };
  } finally {
    clear();
    for (const { above, home, made } of places.values())
      for (const each of [made, home, above]) each?.close();
  }
}

function openPlace(folder: string, stage: string): Place {
  const above = holdFolder(dirname(resolve(folder)), 0o755);
  const name = basename(resolve(folder));
  const at = above.at(name);
  // First of all: a stage of that name may hold what is nowhere else.
  finishSwap(at);
  const home = isMountPoint(at) ? holdInside(above, name) : above;
  return { folder, above, at, home, stage, made: undefined };
}

function takePlace({ folder, at, home, stage }: Place, before: string): AssetsRestored['replaced'][number] {
  const kept = freeName(home.at(before));
  const there = existsSync(at);
  swapRoot(at, home.at(stage), kept);
  return { folder, kept: there ? join(home.path, basename(kept)) : undefined };
}
