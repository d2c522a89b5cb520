/**
 * A backup of configuration: one tar of the files, by their whole paths, packed with zstd. What is to be encrypted holds
 * the secrets of the volume as well; any other leaves secrets out, and its LEFT-OUT.txt says which.
 */
import { createReadStream, createWriteStream, existsSync, realpathSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { type Bytes, decrypt } from '../../archives/age.ts';
import { readTar, type TarEntry } from '../../archives/read-tar.ts';
import { openTarWriter, type TarWriter } from '../../archives/write-tar.ts';
import { Failure, messageOf } from '../../base/errors.ts';
import { walkFolder } from '../assets/walk.ts';
import { leaveOutSecrets } from './leave-out-secrets.ts';

export const CONFIG_FILE = 'config.tar.zst';
/** In the archive: what was left out of it, a line each. */
export const LEFT_OUT = 'LEFT-OUT.txt';

export interface ConfigOptions {
  /** Files and folders, absolute; what is not there is passed over. */
  readonly sources: readonly string[];
  /** `<data>/secrets` */
  readonly secrets: string;
  /** It is going to be encrypted. */
  readonly withSecrets: boolean;
  readonly stage: string;
  readonly signal: AbortSignal;
}

export interface ConfigTaken {
  /** Name of the file in the stage. */
  readonly file: string;
  readonly files: number;
  /** `data/config/app.env: line 3`. */
  readonly leftOut: readonly string[];
}

/** Larger ones are no configuration, in bytes. */
const LARGEST = 16 * 1024 ** 2;

export async function takeConfig(options: ConfigOptions): Promise<ConfigTaken> {
  const { stage, signal, withSecrets } = options;
  const writer = openTarWriter();
  const writing = pipeline(
    writer.archive,
    createZstdCompress(),
    createWriteStream(join(stage, CONFIG_FILE), { flags: 'wx', mode: 0o600, flush: true }),
    { signal },
  );
  // Told where it is awaited.
  writing.catch(() => undefined);
  try {
    const take = new Take(writer, withSecrets);
    for (const source of [...options.sources, ...(withSecrets ? [options.secrets] : [])])
      await take.source(source);
    if (!withSecrets && existsSync(options.secrets))
      take.leftOut.push(`${relative(options.secrets)}: the whole folder`);
    await take.text(LEFT_OUT, describeLeftOut(take.leftOut));
    writer.finish();
    await writing;
    return { file: CONFIG_FILE, files: take.files, leftOut: take.leftOut };
  } catch (error) {
    writer.fail(error);
    await writing.catch(() => undefined);
    throw error;
  }
}

class Take {
  files = 0;
  readonly leftOut: string[] = [];
  private readonly seen = new Set<string>();
  private readonly writer: TarWriter;
  private readonly sealed: boolean;

  constructor(writer: TarWriter, sealed: boolean) {
    this.writer = writer;
    this.sealed = sealed;
  }

  /** Named as it was listed, though it may lie behind a link. */
  async source(listed: string): Promise<void> {
    if (!existsSync(listed)) return;
    const real = realpathSync(listed);
    const stats = statSync(real);
    if (stats.isFile()) {
      await this.file(relative(listed), real, stats);
      return;
    }
    if (!stats.isDirectory()) return;
    await this.folder(relative(listed));
    for (const found of walkFolder(real)) {
      const path = `${relative(listed)}/${found.path}`;
      if (found.kind === 'special') this.leftOut.push(`${path}: ${found.what}`);
      else if (found.kind === 'folder') await this.folder(path);
      else if (found.kind === 'file') await this.file(path, found.door, found.stats);
      else {
        const entry = this.entry(path, found.stats);
        if (this.isNew(path))
          await this.writer.add({ ...entry, kind: 'symlink', size: 0, target: found.target });
      }
    }
  }

  async text(path: string, text: string): Promise<void> {
    const content = Buffer.from(text);
    const entry = { path, kind: 'file', mode: 0o644, uid: 0, gid: 0, mtime: new Date() } as const;
    await this.writer.add({ ...entry, size: content.length }, once(content));
  }

  private async file(
    path: string,
    door: string,
    stats: { readonly size: number } & Parameters<Take['entry']>[1],
  ): Promise<void> {
    if (stats.size > LARGEST) {
      this.leftOut.push(`${path}: the whole file: it is too large for configuration`);
      return;
    }
    const read = await readFile(door).catch((cause: unknown) => {
      throw new Failure(`cannot back up /${path}: ${messageOf(cause)}`, {
        remedy: 'make it readable, or take it out of `backups.config`',
        cause,
      });
    });
    const { content, leftOut } = this.sealed
      ? { content: read, leftOut: [] }
      : leaveOutSecrets(path.split('/').at(-1) ?? '', read);
    this.leftOut.push(...leftOut.map((what) => `${path}: ${what}`));
    if (content === undefined) return;
    await this.folder(dirname(path));
    if (!this.isNew(path)) return;
    await this.writer.add({ ...this.entry(path, stats), kind: 'file', size: content.length }, once(content));
    this.files += 1;
  }

  /** With those above it: whoever unpacks it meets no name in a folder that is not there. */
  private async folder(path: string): Promise<void> {
    if (path === '.' || !this.isNew(path)) return;
    await this.folder(dirname(path));
    const stats = statSync(`/${path}`, { throwIfNoEntry: false });
    const known = stats ?? { mode: 0o755, uid: 0, gid: 0, mtime: new Date() };
    await this.writer.add({ ...this.entry(path, known), kind: 'directory', size: 0 });
  }

  private entry(
    path: string,
    {
      mode,
      uid,
      gid,
      mtime,
    }: { readonly mode: number; readonly uid: number; readonly gid: number; readonly mtime: Date },
  ): Omit<TarEntry, 'kind' | 'size'> {
    return { path, mode: mode & 0o7777, uid, gid, mtime };
  }

  private isNew(path: string): boolean {
    if (this.seen.has(path)) return false;
    this.seen.add(path);
    return true;
  }
}

/** Reads it to its end. @throws Failure where it is damaged, or the identity does not fit. */
export async function readConfig(
  path: string,
  identity: string | undefined,
  onEntry: (entry: TarEntry, body: Bytes) => Promise<void> = async (_, body) => drain(body),
): Promise<number> {
  const file = createReadStream(path);
  const unpacked = createZstdDecompress();
  const moved = pipeline(identity === undefined ? file : decrypt(file, { identity }, path), unpacked);
  moved.catch(() => undefined);
  let count = 0;
  try {
    for await (const { body, ...entry } of readTar(unpacked, path)) {
      await onEntry(entry, body);
      count += 1;
    }
  } catch (error) {
    // The first cause: a wrong key shows itself before what it leaves unreadable.
    await moved;
    throw error;
  }
  await moved;
  return count;
}

async function drain(body: Bytes): Promise<void> {
  for await (const _ of body);
}

async function* once(content: Buffer): AsyncGenerator<Uint8Array> {
  yield content;
}

/** As tar does: without the slash at the beginning. */
function relative(path: string): string {
  return resolve(path).slice(1);
}

function describeLeftOut(leftOut: readonly string[]): string {
  return leftOut.length === 0
    ? 'Nothing was left out.\n'
    : `Left out because they are, or look like, secrets, and this archive is not encrypted:\n\n${leftOut.join('\n')}\n`;
}
