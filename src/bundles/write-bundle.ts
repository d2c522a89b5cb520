/** Writes the tar of a bundle in one pass, and remembers what it wrote for the manifest. */
import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Bytes } from '../archives/age.ts';
import type { TarEntry } from '../archives/read-tar.ts';
import { openTarWriter } from '../archives/write-tar.ts';
import { walkFolder } from '../backups/assets/walk.ts';
import { Failure } from '../base/errors.ts';
import { ASSETS, type Member } from './bundle-format.ts';
import { leadsOut } from './link-target.ts';

export interface BundleWriter {
  /** Grows as it is written. */
  readonly members: readonly Member[];
  readonly archive: Bytes;
  addFile(path: string, file: string): Promise<void>;
  addText(path: string, content: string | Uint8Array): Promise<void>;
  addEntry(entry: TarEntry, body?: Bytes): Promise<void>;
  finish(): void;
  fail(error: unknown): void;
}

export function openBundleWriter(): BundleWriter {
  const tar = openTarWriter();
  const members: Member[] = [];
  const addEntry = async (entry: TarEntry, body?: Bytes): Promise<void> => {
    const { path, kind, size, target } = entry;
    const hash = createHash('sha256');
    await tar.add(entry, body === undefined ? undefined : hashed(body, hash));
    members.push({
      path,
      kind,
      size,
      ...(kind === 'file' ? { sha256: hash.digest('hex') } : {}),
      ...(target === undefined ? {} : { target }),
    });
  };
  const plain = (path: string, size: number): TarEntry => ({
    path,
    kind: 'file',
    mode: 0o600,
    uid: 0,
    gid: 0,
    mtime: new Date(),
    size,
  });
  return {
    members,
    archive: tar.archive,
    addEntry,
    addFile: (path, file) => addEntry(plain(path, statSync(file).size), createReadStream(file)),
    addText: (path, content) => {
      const bytes = Buffer.from(content);
      return addEntry(plain(path, bytes.length), once(bytes));
    },
    finish: () => tar.finish(),
    fail: (error) => tar.fail(error),
  };
}

export interface AssetsWritten {
  readonly files: number;
  readonly bytes: number;
  /** What cannot be brought along: sockets, names that are no text, links that lead out of the folder. */
  readonly skipped: readonly string[];
  /** Files that changed while they were read. */
  readonly torn: readonly string[];
}

/** The contents of the one folder; of several, each under its own name. @throws Failure where two have one name. */
export async function writeAssets(
  writer: BundleWriter,
  folders: readonly string[],
  signal: AbortSignal,
): Promise<AssetsWritten> {
  const names = folders.map((folder) => basename(resolve(folder)));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined && folders.length > 1) {
    throw new Failure(`cannot bundle the assets: two of the folders are called ${twice}`, {
      remedy: 'they would be one folder on the new host; rename one, or bundle the folder above',
    });
  }
  const seen = { files: 0, bytes: 0, skipped: [] as string[], torn: [] as string[] };
  await writer.addEntry(folderEntry(ASSETS, 0o755, new Date()));
  for (const [index, folder] of folders.entries()) {
    requireFolder(folder);
    const root = folders.length === 1 ? ASSETS : `${ASSETS}/${names[index] ?? ''}`;
    if (folders.length > 1) await writer.addEntry(folderEntry(root, 0o755, statSync(folder).mtime));
    for (const found of walkFolder(resolve(folder))) {
      signal.throwIfAborted();
      const path = `${root}/${found.path}`;
      if (found.kind === 'special') {
        seen.skipped.push(`${found.path}: ${found.what}`);
        continue;
      }
      const { stats, door } = found;
      const entry = { path, mode: stats.mode & 0o777, uid: 0, gid: 0, mtime: stats.mtime, size: 0 };
      if (found.kind === 'folder') await writer.addEntry({ ...entry, kind: 'directory' });
      else if (found.kind === 'link') {
        const target = found.target ?? '';
        if (leadsOut(path, target, ASSETS)) seen.skipped.push(`${found.path}: a link that leads out`);
        else await writer.addEntry({ ...entry, kind: 'symlink', target });
      } else {
        // What is appended meanwhile is cut off: a log that grows is no reason to fail.
        const body = stats.size === 0 ? undefined : createReadStream(door, { end: stats.size - 1 });
        await writer.addEntry({ ...entry, kind: 'file', size: stats.size }, body ?? once(Buffer.alloc(0)));
        const after = lstatSync(door, { throwIfNoEntry: false });
        if (after?.size !== stats.size || after.mtimeMs !== stats.mtimeMs) seen.torn.push(found.path);
        seen.files += 1;
        seen.bytes += stats.size;
      }
    }
  }
  return seen;
}

function requireFolder(folder: string): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new Failure(`cannot bundle the assets: ${folder} is no folder`, {
    remedy: 'name the folder the application keeps its files in: --assets DIR',
  });
}

function folderEntry(path: string, mode: number, mtime: Date): TarEntry {
  return { path, kind: 'directory', mode, uid: 0, gid: 0, mtime, size: 0 };
}

async function* hashed(body: Bytes, hash: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  if (content.length > 0) yield content;
}
