/** Puts the files of a configuration backup in their places; what was there is kept. */
import { createHash, hash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Bytes } from '../../archives/age.ts';
import { createEntryPaths } from '../../archives/entry-path.ts';
import type { TarEntry } from '../../archives/tar.ts';
import type { ConfigChange } from '../../protocol/operations.ts';
import { syncFolder } from '../../system/write-file-atomic.ts';
import { isEncrypted } from '../encrypt-backup.ts';
import type { WholeBackup } from '../shelf.ts';
import { CONFIG_FILE, LEFT_OUT, readConfig } from './config-backup.ts';
import { keepOld, own } from './keep-old.ts';

export interface ConfigRestore {
  readonly backup: WholeBackup;
  /** The text of the key, of an encrypted one. */
  readonly identity: string | undefined;
  /** Files and folders of the plan, absolute: nothing is written elsewhere, whatever the archive says. */
  readonly places: readonly string[];
  /** In it a folder is made for what is replaced. */
  readonly keepIn: string;
  readonly write: boolean;
}

export interface ConfigRestored {
  readonly changes: readonly ConfigChange[];
  readonly kept: string | undefined;
}

/** Reads the archive to its end before anything is written, and writes all beside its place before anything is renamed. */
export async function restoreConfig(asked: ConfigRestore): Promise<ConfigRestored> {
  const changes = await planChanges(asked);
  const wanted = new Set(
    changes.flatMap(({ path, what }) => (what === 'new' || what === 'changed' ? [path] : [])),
  );
  if (!asked.write || wanted.size === 0) return { changes, kept: undefined };
  const staged: { readonly stage: string; readonly path: string }[] = [];
  try {
    await read(asked, async (entry, body) => {
      const path = `/${entry.path}`;
      if (entry.kind === 'directory') {
        if (isInside(path, asked.places) && [...wanted].some((file) => file.startsWith(`${path}/`)))
          makeFolder(path, entry);
        return drain(body);
      }
      if (!wanted.has(path)) return drain(body);
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      const stage = join(
        dirname(path),
        `.stage-${asked.backup.id}-${hash('sha256', path, 'hex').slice(0, 8)}`,
      );
      rmSync(stage, { force: true });
      staged.push({ stage, path });
      await writeStage(stage, entry, body);
    });
    const kept = keepOld(
      asked.keepIn,
      asked.backup.id,
      changes.filter(({ what }) => what === 'changed').map(({ path }) => path),
    );
    for (const { stage, path } of staged) renameSync(stage, path);
    for (const folder of new Set(staged.map(({ path }) => dirname(path)))) syncFolder(folder);
    return { changes, kept };
  } finally {
    for (const { stage } of staged) rmSync(stage, { force: true });
  }
}

async function planChanges(asked: ConfigRestore): Promise<ConfigChange[]> {
  const found: { readonly path: string; readonly same: boolean }[] = [];
  let leftOut = '';
  await read(asked, async (entry, body) => {
    if (entry.path === LEFT_OUT) {
      leftOut = (await gather(body)).toString('utf8');
      return;
    }
    const path = `/${entry.path}`;
    if (entry.kind === 'directory') return drain(body);
    if (entry.kind === 'symlink') {
      await drain(body);
      found.push({ path, same: isLink(path) && readlinkSync(path) === entry.target });
      return;
    }
    const digest = createHash('sha256');
    for await (const piece of body) digest.update(piece);
    found.push({
      path,
      same: isFile(path) && hash('sha256', readFileSync(path), 'hex') === digest.digest('hex'),
    });
  });
  const lines = leftOut.split('\n');
  return found.map(({ path, same }) => {
    const missing = lines
      .filter((line) => line.startsWith(`${path.slice(1)}: `))
      .map((line) => line.slice(path.length + 1));
    const there = lstatSync(path, { throwIfNoEntry: false });
    const left = (why: string): ConfigChange => ({ path, what: 'left', why });
    if (!isInside(path, asked.places)) return left('the plan does not name it in backups.config');
    if (leadsAway(path, asked.places)) return left('a folder above it is a link');
    if (there?.isDirectory()) return left('a folder is there');
    if (same) return { path, what: 'same', why: undefined };
    const why =
      missing.length === 0 ? undefined : `its secrets are not in this backup: ${missing.join(', ')}`;
    // With stars in the place of its secrets it would take from who is there what no backup gives back.
    if (why !== undefined && there !== undefined) return left(why);
    return { path, what: there === undefined ? 'new' : 'changed', why };
  });
}

async function read(
  { backup, identity }: ConfigRestore,
  onEntry: (entry: TarEntry, body: Bytes) => Promise<void>,
): Promise<void> {
  const sealed = backup.manifest.recipients !== undefined;
  if (sealed && identity === undefined) throw isEncrypted(backup.id);
  const file = join(backup.folder, sealed ? `${CONFIG_FILE}.age` : CONFIG_FILE);
  const names = createEntryPaths(file);
  await readConfig(file, sealed ? identity : undefined, async (entry, body) => {
    names.check(entry.path, entry.kind);
    await onEntry(entry, body);
  });
}

function isInside(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || path.startsWith(`${place.replace(/\/+$/, '')}/`));
}

/** Through a link that somebody has put there since, the right to write everywhere would serve him. */
function leadsAway(path: string, places: readonly string[]): boolean {
  const place = places.find((each) => isInside(path, [each])) ?? path;
  for (let at = dirname(path); at.length > place.length; at = dirname(at)) if (isLink(at)) return true;
  return false;
}

/** One that is there stays as it is. */
function makeFolder(path: string, entry: TarEntry): void {
  if (existsSync(path)) return;
  mkdirSync(path, { recursive: true, mode: 0o700 });
  own(path, entry);
  chmodSync(path, entry.mode);
}

async function writeStage(stage: string, entry: TarEntry, body: Bytes): Promise<void> {
  if (entry.kind === 'symlink') {
    await drain(body);
    symlinkSync(entry.target ?? '', stage);
    own(stage, entry);
    return;
  }
  const fd = openSync(stage, 'wx', 0o600);
  try {
    for await (const piece of body) for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
    own(stage, entry);
    chmodSync(stage, entry.mode);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

async function gather(body: Bytes): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function drain(body: Bytes): Promise<void> {
  for await (const _ of body);
}
