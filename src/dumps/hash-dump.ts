/** The SHA-256 by which the ledger knows a dump. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readChunks } from './read-chunks.ts';

/** Of a file: of its bytes. Of a folder: over the names and contents of its files, in order. In hex. */
export async function hashDump(path: string, signal?: AbortSignal): Promise<string> {
  if (!statSync(path).isDirectory()) return hashFile(path, signal);
  const hash = createHash('sha256');
  for (const name of readdirSync(path).sort()) {
    hash.update(`${name}\0`);
    for await (const chunk of readChunks(join(path, name), signal)) hash.update(chunk);
  }
  return hash.digest('hex');
}

export async function hashFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of readChunks(path, signal)) hash.update(chunk);
  return hash.digest('hex');
}
