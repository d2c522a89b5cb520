/** Checksums that came with a dump: `FILE.sha256` beside it, as sha256sum writes it, or the manifest of a backup. */
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import { hashFile } from './hash-dump.ts';

export interface KnownChecksum {
  /** The file itself, absolute. */
  readonly path: string;
  /** In hex, lower case. */
  readonly sha256: string;
  /** Where it is written. */
  readonly source: string;
}

/** What is known of a dump's files; empty where nothing came with it. Throws a Failure where it cannot be read. */
export function readChecksums(dump: string): KnownChecksum[] {
  const sums = `${dump}.sha256`;
  const manifest = join(dirname(dump), 'manifest.json');
  const told = [...parseSums(dump, sums), ...parseManifest(manifest)];
  return told.filter(({ path }) => path === dump || path.startsWith(`${dump}/`));
}

/**
 * Reads the files again only where `digest`, the SHA-256 of the dump as one file, does not answer already. Throws a
 * Failure that names the file which is not what it was.
 */
export async function verifyChecksums(
  dump: string,
  known: readonly KnownChecksum[],
  digest: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  for (const { path, sha256, source } of known) {
    const found =
      path === dump && digest !== undefined ? digest : await hashPresent(dump, path, source, signal);
    if (found === sha256) continue;
    throw new Failure(
      `cannot import ${dump}: ${path === dump ? 'it' : basename(path)} is damaged: its SHA-256 is not the one in ${source}`,
      { remedy: 'copy or make the dump again; nothing was changed' },
    );
  }
}

async function hashPresent(dump: string, path: string, source: string, signal: AbortSignal): Promise<string> {
  try {
    return await hashFile(path, signal);
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw cause;
    throw new Failure(`cannot import ${dump}: ${basename(path)} is missing, and ${source} lists it`, {
      remedy: 'copy the dump again, with all of its files; nothing was changed',
    });
  }
}

/** A bare hash, or lines of sha256sum; their names count from the folder of the list, wherever it was made. */
function parseSums(dump: string, list: string): KnownChecksum[] {
  const text = readText(list);
  if (text === undefined) return [];
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const known = lines.map((line) => {
    const match = /^\\?([0-9a-f]{64})(?:\s+\*?(.*))?$/i.exec(line.trim());
    if (!match) {
      throw new Failure(`cannot read ${list}: it is no list of SHA-256 checksums`, {
        remedy: `write it with sha256sum ${basename(dump)} > ${basename(list)}, or take it away`,
      });
    }
    return { sha256: (match[1] ?? '').toLowerCase(), name: match[2] ?? '', source: list };
  });
  if (!isFolder(dump)) {
    const own =
      known.find(({ name }) => basename(name) === basename(dump)) ??
      (known.length === 1 ? known[0] : undefined);
    return own ? [{ path: dump, sha256: own.sha256, source: list }] : [];
  }
  return known.map(({ sha256, name, source }) => ({ path: join(dump, basename(name)), sha256, source }));
}

/** The manifest of a backup lists its files with sizes and hashes; of anybody else's manifest.json nothing is asked. */
function parseManifest(manifest: string): KnownChecksum[] {
  const text = readText(manifest);
  if (text === undefined) return [];
  try {
    const { files }: { files?: readonly { path?: unknown; sha256?: unknown }[] } = JSON.parse(text);
    if (!Array.isArray(files)) return [];
    return files.flatMap(({ path, sha256 }: { path?: unknown; sha256?: unknown }) => {
      if (typeof path !== 'string' || typeof sha256 !== 'string') return [];
      const file = resolve(dirname(manifest), path);
      if (relative(dirname(manifest), file).startsWith('..')) return [];
      return [{ path: file, sha256: sha256.toLowerCase(), source: manifest }];
    });
  } catch {
    return [];
  }
}

function isFolder(path: string): boolean {
  return statSync(path).isDirectory();
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' || codeOf(cause) === 'ENOTDIR') return undefined;
    throw new Failure(`cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}
