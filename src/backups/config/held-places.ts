/**
 * The folders in which configuration is put back, each held from the first look to the last rename: the application may
 * own them, and lead a name elsewhere in between.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats } from 'node:fs';
import { basename, dirname } from 'node:path';
import { codeOf } from '../../base/errors.ts';
import { type HeldFolder, holdFolder, holdInside, makeHeld } from '../../system/held-folder.ts';

const FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class HeldPlaces {
  private readonly places: readonly string[];
  private readonly held = new Map<string, HeldFolder>();

  /** Files and folders of the plan, absolute. */
  constructor(places: readonly string[]) {
    this.places = places.map((place) => place.replace(/\/+$/, ''));
  }

  /** The one that this path is, or is in. */
  placeOf(path: string): string | undefined {
    return this.places.find((place) => path === place || path.startsWith(`${place}/`));
  }

  /**
   * A path by which nobody else decides where it leads; below a place no link is followed. `make`: folders above it
   * that are missing get this mode. @throws Failure `link` where a folder above it is a link; ENOENT, ENOTDIR
   */
  at(path: string, make?: number): string {
    return this.folder(dirname(path), make).at(basename(path));
  }

  /** Undefined where there is nothing, or not even a folder above it. */
  look(path: string): Stats | undefined {
    try {
      return lstatSync(this.at(path), { throwIfNoEntry: false });
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  /** A file's descriptor for as long as `work` runs; undefined, and it does not, where it is none. */
  read<T>(path: string, work: (fd: number, stats: Stats) => T): T | undefined {
    const fd = openSync(this.at(path), FILE);
    try {
      const stats = fstatSync(fd);
      return stats.isFile() ? work(fd, stats) : undefined;
    } finally {
      closeSync(fd);
    }
  }

  /** A new folder, which nobody else may enter, as a path by which its owner and mode can be changed. */
  makeFolder(path: string): string {
    const made = makeHeld(this.folder(dirname(path), 0o755), basename(path));
    this.held.set(path, made);
    return made.door;
  }

  /** Those that something was looked for or put into. */
  door(folder: string): string {
    return this.folder(folder).door;
  }

  close(): void {
    for (const folder of this.held.values()) folder.close();
    this.held.clear();
  }

  private folder(path: string, make?: number): HeldFolder {
    const there = this.held.get(path);
    if (there !== undefined) return there;
    const place = this.placeOf(path);
    const folder =
      place === undefined || place === path
        ? holdFolder(path, make)
        : holdInside(this.folder(dirname(path), make), basename(path), make);
    this.held.set(path, folder);
    return folder;
  }
}
