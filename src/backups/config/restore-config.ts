/** Puts the files of a configuration backup in their places; what was there is kept. */
import { createHash, hash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Bytes } from '../../archives/age.ts';
import { createEntryPaths } from '../../archives/entry-path.ts';
import type { TarEntry } from '../../archives/read-tar.ts';
import { codeOf } from '../../base/errors.ts';
import type { ConfigChange } from '../../protocol/operations.ts';
import { withLink } from '../../system/held-folder.ts';
import { syncFolder } from '../../system/write-file-atomic.ts';
import { isEncrypted } from '../encrypt-backup.ts';
import type { WholeBackup } from '../shelf.ts';
import { CONFIG_FILE, LEFT_OUT, readConfig } from './config-backup.ts';
import { HeldPlaces } from './held-places.ts';
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
  const places = new HeldPlaces(asked.places);
  try {
    const changes = await planChanges(asked, places);
    const wanted = new Set(
      changes.flatMap(({ path, what }) => (what === 'new' || what === 'changed' ? [path] : [])),
    );
    if (!asked.write || wanted.size === 0) return { changes, kept: undefined };
    return { changes, kept: await writeAll(asked, changes, wanted, places) };
  } finally {
    places.close();
  }
}

/** Returns where what it replaced is kept. */
async function writeAll(
  asked: ConfigRestore,
  changes: readonly ConfigChange[],
  wanted: ReadonlySet<string>,
  places: HeldPlaces,
): Promise<string | undefined> {
  const staged: { readonly stage: string; readonly path: string }[] = [];
  try {
    await read(asked, async (entry, body) => {
      const path = `/${entry.path}`;
      if (entry.kind === 'directory') {
        if (places.placeOf(path) !== undefined && [...wanted].some((file) => file.startsWith(`${path}/`)))
          makeFolder(path, entry, places);
        return drain(body);
      }
      if (!wanted.has(path)) return drain(body);
      const name = `.stage-${asked.backup.id}-${hash('sha256', path, 'hex').slice(0, 8)}`;
      const stage = places.at(join(dirname(path), name), 0o755);
      rmSync(stage, { force: true });
      staged.push({ stage, path });
      await writeStage(stage, entry, body);
    });
    const kept = keepOld(
      asked.keepIn,
      asked.backup.id,
      changes.filter(({ what }) => what === 'changed').map(({ path }) => path),
      places,
    );
    for (const { stage, path } of staged) renameSync(stage, places.at(path));
    for (const folder of new Set(staged.map(({ path }) => dirname(path)))) syncFolder(places.door(folder));
    return kept;
  } finally {
    for (const { stage } of staged) rmSync(stage, { force: true });
  }
}

async function planChanges(asked: ConfigRestore, places: HeldPlaces): Promise<ConfigChange[]> {
  const found: Omit<Found, 'missing'>[] = [];
  let leftOut = '';
  await read(asked, async (entry, body) => {
    if (entry.path === LEFT_OUT) {
      leftOut = (await gather(body)).toString('utf8');
      return;
    }
    const path = `/${entry.path}`;
    if (entry.kind === 'directory') return drain(body);
    const digest = createHash('sha256');
    for await (const piece of body) digest.update(piece);
    found.push({ path, ...compare(path, entry, digest.digest('hex'), places) });
  });
  const lines = leftOut.split('\n');
  return found.map((each) => {
    const { path } = each;
    const missing = lines
      .filter((line) => line.startsWith(`${path.slice(1)}: `))
      .map((line) => line.slice(path.length + 1));
    return planChange({ ...each, missing });
  });
}

interface Found {
  readonly path: string;
  readonly there: Stats | undefined;
  readonly same: boolean;
  /** Why it is not even looked at. */
  readonly closed: string | undefined;
  /** The secrets that this backup does not have of it. */
  readonly missing: readonly string[];
}

function planChange({ path, there, same, closed, missing }: Found): ConfigChange {
  const left = (why: string): ConfigChange => ({ path, what: 'left', why });
  if (closed !== undefined) return left(closed);
  if (there?.isDirectory()) return left('a folder is there');
  if (same) return { path, what: 'same', why: undefined };
  const why = missing.length === 0 ? undefined : `its secrets are not in this backup: ${missing.join(', ')}`;
  // With stars in the place of its secrets it would take from who is there what no backup gives back.
  if (why !== undefined && there !== undefined) return left(why);
  return { path, what: there === undefined ? 'new' : 'changed', why };
}

function compare(
  path: string,
  entry: TarEntry,
  sha256: string,
  places: HeldPlaces,
): Pick<Found, 'there' | 'same' | 'closed'> {
  const none = { there: undefined, same: false };
  if (places.placeOf(path) === undefined)
    return { ...none, closed: 'the plan does not name it in backups.config' };
  try {
    const there = places.look(path);
    return {
      there,
      same: there !== undefined && isSame(path, entry, sha256, there, places),
      closed: undefined,
    };
  } catch (error) {
    // Through a link that somebody has put there since, the right to write everywhere would serve him.
    if (codeOf(error) === 'link') return { ...none, closed: 'a folder above it is a link' };
    throw error;
  }
}

function isSame(path: string, entry: TarEntry, sha256: string, there: Stats, places: HeldPlaces): boolean {
  if (entry.kind === 'symlink')
    return there.isSymbolicLink() && readlinkSync(places.at(path)) === entry.target;
  if (!there.isFile()) return false;
  return places.read(path, (fd) => hash('sha256', readFileSync(fd), 'hex') === sha256) === true;
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

/** One that is there stays as it is. */
function makeFolder(path: string, entry: TarEntry, places: HeldPlaces): void {
  if (places.look(path) !== undefined) return;
  const door = places.makeFolder(path);
  own(door, entry, chownSync);
  chmodSync(door, entry.mode);
}

async function writeStage(stage: string, entry: TarEntry, body: Bytes): Promise<void> {
  if (entry.kind === 'symlink') {
    await drain(body);
    symlinkSync(entry.target ?? '', stage);
    withLink(stage, (door) => own(door, entry, chownSync));
    return;
  }
  const fd = openSync(stage, 'wx', 0o600);
  try {
    for await (const piece of body) for (let at = 0; at < piece.length; ) at += writeSync(fd, piece, at);
    own(`/proc/self/fd/${fd}`, entry, chownSync);
    fchmodSync(fd, entry.mode);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

async function gather(body: Bytes): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function drain(body: Bytes): Promise<void> {
  for await (const _ of body);
}
