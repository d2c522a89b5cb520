/** Takes the large parts of a bundle apart: the dump into a file, the assets into a folder. */
import {
  chmodSync,
  createWriteStream,
  lchownSync,
  lutimesSync,
  mkdirSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { TarEntry } from '../archives/read-tar.ts';
import { Failure } from '../base/errors.ts';
import { ASSETS, DUMP } from './bundle-format.ts';
import type { OpenBundle } from './open-bundle.ts';
import { readBundle } from './read-bundle.ts';

export interface UnpackOptions {
  /** Where the dump goes. */
  readonly dump: string;
  /** A folder that is not there yet, for the assets; not made where the bundle has none. */
  readonly assets: string;
  /** Whose the assets shall be; undefined: ours. Users of the old host mean nothing here. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly signal: AbortSignal;
  readonly onBytes?: (bytes: number) => void;
}

/** @throws Failure where it is not any more what was looked at. */
export async function unpackBundle(bundle: OpenBundle, options: UnpackOptions): Promise<void> {
  const { dump, assets, owner, signal, onBytes } = options;
  const folders: { readonly at: string; readonly entry: TarEntry }[] = [];
  const own = (path: string): void => {
    if (owner) lchownSync(path, owner.uid, owner.gid);
  };
  const read = await readBundle(bundle.path, {
    signal,
    ...(onBytes ? { onBytes } : {}),
    onEntry: async (entry, body) => {
      if (entry.path === DUMP) {
        await pipeline(body, createWriteStream(dump, { flags: 'wx', mode: 0o600 }), { signal });
        return;
      }
      if (entry.path !== ASSETS && !entry.path.startsWith(`${ASSETS}/`)) return;
      const at = join(assets, entry.path.slice(ASSETS.length));
      const seconds = entry.mtime.getTime() / 1000;
      if (entry.kind === 'directory') {
        mkdirSync(at, { mode: 0o700 });
        folders.push({ at, entry });
      } else if (entry.kind === 'symlink') {
        symlinkSync(entry.target ?? '', at);
        own(at);
        lutimesSync(at, seconds, seconds);
      } else {
        await pipeline(body, createWriteStream(at, { flags: 'wx', mode: 0o600 }), { signal });
        own(at);
        // Without the bits that make a program run as its owner.
        chmodSync(at, entry.mode & 0o777);
        utimesSync(at, seconds, seconds);
      }
    },
  });
  if (read.sha256 !== bundle.sha256) {
    throw new Failure(`cannot use the bundle ${bundle.path}: it changed while it was read`, {
      remedy: 'let the copy end, then start again; nothing was changed',
    });
  }
  // The innermost first: what is made in a folder changes its time, and its mode may forbid it.
  for (const { at, entry } of folders.reverse()) {
    own(at);
    chmodSync(at, entry.mode & 0o777);
    utimesSync(at, entry.mtime.getTime() / 1000, entry.mtime.getTime() / 1000);
  }
}
