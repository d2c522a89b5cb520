/** Reads a bundle in one pass: every name is looked at, every byte hashed, and all of it compared with its manifest. */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import type { Bytes } from '../archives/age.ts';
import { createEntryPaths } from '../archives/entry-path.ts';
import { readTar, type TarEntry } from '../archives/read-tar.ts';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import { BUNDLE_MARKER } from '../dumps/dump-format.ts';
import { readChunks } from '../dumps/read-chunks.ts';
import {
  ASSETS,
  type BundleManifest,
  checkMarker,
  DUMP,
  damagedBundle,
  ENVIRONMENT,
  MANIFEST,
  type Member,
  parseManifest,
  SEALED_ENVIRONMENT,
} from './bundle-format.ts';
import { leadsOut } from './link-target.ts';

export interface ReadBundle {
  readonly manifest: BundleManifest;
  /** Of the whole file, in hex. */
  readonly sha256: string;
  readonly size: number;
  readonly mtimeMs: number;
}

export interface ReadBundleOptions {
  readonly signal: AbortSignal;
  /** Takes what is not read by ourselves; what it leaves of a body is passed over. Nothing counts before the end. */
  readonly onEntry?: (entry: TarEntry, body: Bytes) => Promise<void>;
  readonly onBytes?: (bytes: number) => void;
}

/** A list of a million files; whatever is larger is no manifest. */
const LARGEST_MANIFEST = 400 * 1024 ** 2;
const LARGEST_MARKER = 4096;
const FILES: ReadonlySet<string> = new Set([DUMP, ENVIRONMENT, SEALED_ENVIRONMENT]);

/** @throws Failure where it is cut off, damaged, of a newer form, or holds a name or a link that leads out of it. */
export async function readBundle(path: string, options: ReadBundleOptions): Promise<ReadBundle> {
  const { size, mtimeMs } = statSync(path);
  const whole = createHash('sha256');
  let bytes = 0;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of readChunks(path, options.signal)) {
      whole.update(chunk);
      bytes += chunk.length;
      options.onBytes?.(bytes);
      yield chunk;
    }
  };
  const names = createEntryPaths(path);
  const members: Member[] = [];
  let manifest: BundleManifest | undefined;
  try {
    for await (const { body, ...entry } of readTar(source(), path)) {
      options.signal.throwIfAborted();
      if (manifest !== undefined) throw damagedBundle(path, `${entry.path} comes after its end`);
      names.check(entry.path, entry.kind);
      requireKnown(path, entry, members.length);
      if (entry.path === MANIFEST) {
        manifest = parseManifest(await readText(path, entry, body, LARGEST_MANIFEST), path);
        continue;
      }
      const hash = createHash('sha256');
      const flow = hashed(body, hash);
      if (entry.path === BUNDLE_MARKER) checkMarker(await readText(path, entry, flow, LARGEST_MARKER), path);
      else await options.onEntry?.(entry, flow);
      for await (const _ of flow);
      members.push(describe(entry, hash.digest('hex')));
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof Failure || codeOf(error) !== undefined) throw explained(error, path);
    throw error;
  }
  if (manifest === undefined)
    throw damagedBundle(path, `it was cut off: its ${MANIFEST}, the last in it, is not there`);
  compare(path, manifest.members, members);
  return { manifest, sha256: whole.digest('hex'), size, mtimeMs };
}

function explained(error: unknown, path: string): unknown {
  if (!(error instanceof Failure)) {
    const code = codeOf(error) ?? '';
    if (code !== 'EACCES' && code !== 'EIO' && code !== 'ENOENT') return error;
    return new Failure(`cannot read the bundle ${path}: ${messageOf(error)}`, {
      remedy: `make it readable for uid ${process.geteuid?.() ?? 0}, e.g. chmod a+r`,
      cause: error,
    });
  }
  return error;
}

function requireKnown(bundle: string, { path, kind, target = '' }: TarEntry, index: number): void {
  if (index === 0 && path !== BUNDLE_MARKER) throw damagedBundle(bundle, `it begins with ${path}`);
  if (index === 0 || path === MANIFEST || (kind === 'file' && FILES.has(path))) {
    if (kind === 'file') return;
    throw damagedBundle(bundle, `${path} in it is a ${kind}`);
  }
  const isAsset = path === ASSETS ? kind === 'directory' : path.startsWith(`${ASSETS}/`);
  if (!isAsset) throw damagedBundle(bundle, `${JSON.stringify(path)} does not belong into it`);
  if (kind === 'symlink' && leadsOut(path, target, ASSETS)) {
    throw new Failure(`cannot use the bundle ${bundle}: the link ${JSON.stringify(path)} leads out of it`, {
      remedy: 'nothing was changed; make the bundle anew, and trust none that is not yours',
      code: 'foreign-name',
    });
  }
}

function describe({ path, kind, size, target }: TarEntry, sha256: string): Member {
  return {
    path,
    kind,
    size,
    ...(kind === 'file' ? { sha256 } : {}),
    ...(target === undefined ? {} : { target }),
  };
}

function compare(bundle: string, expected: readonly Member[], found: readonly Member[]): void {
  for (const [index, member] of expected.entries()) {
    const there = found[index];
    if (there?.path !== member.path) throw damagedBundle(bundle, `${member.path} is missing in it`);
    for (const what of ['kind', 'size', 'sha256', 'target'] as const) {
      if (there[what] !== member[what]) {
        throw damagedBundle(
          bundle,
          `${member.path} in it is damaged: its ${what} is not that of its manifest`,
        );
      }
    }
  }
  const more = found[expected.length];
  if (more !== undefined) throw damagedBundle(bundle, `its manifest does not know ${more.path}`);
  for (const path of [BUNDLE_MARKER, DUMP]) {
    if (!found.some((member) => member.path === path)) throw damagedBundle(bundle, `it has no ${path}`);
  }
}

async function readText(
  bundle: string,
  { path, size }: TarEntry,
  body: Bytes,
  most: number,
): Promise<string> {
  if (size > most) throw damagedBundle(bundle, `${path} in it is too large`);
  const chunks: Uint8Array[] = [];
  // The memory of a chunk is used again.
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** Can be read on by whoever comes after one that stopped early. */
function hashed(body: Bytes, hash: ReturnType<typeof createHash>): AsyncIterableIterator<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const step = await iterator.next();
    if (!step.done) hash.update(step.value);
    return step.done ? { done: true, value: undefined } : step;
  };
  const flow: AsyncIterableIterator<Uint8Array> = { next, [Symbol.asyncIterator]: () => flow };
  return flow;
}
