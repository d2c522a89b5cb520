/** `bundle create`: everything of an old host that a new one needs, in one file that is whole or not there. */
import { createWriteStream, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { encrypt } from '../archives/age.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { VERSION } from '../base/version.ts';
import { BUNDLE_MARKER } from '../dumps/dump-format.ts';
import type { BundleCreated, BundleRequest } from '../protocol/bundles.ts';
import { syncFolder } from '../system/write-file-atomic.ts';
import { DUMP, ENVIRONMENT, MANIFEST, markerText, newManifest, SEALED_ENVIRONMENT } from './bundle-format.ts';
import { dumpSource } from './dump-source.ts';
import { type SplitEnvironment, splitEnvironment } from './env-file.ts';
import { openBundle } from './open-bundle.ts';
import { showRestore } from './show-restore.ts';
import { readSourceUrl } from './source-database.ts';
import { openBundleWriter, writeAssets } from './write-bundle.ts';

/** An environment file is never larger, in bytes. */
const LARGEST_ENVIRONMENT = 16 * 1024 ** 2;

/** @throws Failure that says why; then no file of that name is left, and none that was there is touched. */
export async function createBundle(request: BundleRequest): Promise<BundleCreated> {
  const { output, signal, tell } = request;
  const source = readSourceUrl(request.url);
  const environment = await readEnvironment(request);
  const folder = dirname(output);
  const stage = makeStage(folder);
  try {
    const dump = join(stage, DUMP);
    const dumped = await dumpSource(source, dump, signal, tell);
    tell('restoring the dump beside, to see that it can be');
    const untried = await showRestore(dumped, dump, signal);
    const writer = openBundleWriter();
    const file = join(stage, basename(output));
    tell('writing the bundle');
    const fill = async () => {
      await writer.addText(BUNDLE_MARKER, markerText());
      await writer.addFile(DUMP, dump);
      const assets =
        request.assets.length === 0 ? undefined : await writeAssets(writer, request.assets, signal);
      await writeEnvironment(writer, environment, request.passphrase);
      const sealed = request.passphrase === undefined ? [] : (environment?.secrets ?? []);
      const leftOut = [
        ...(environment?.ofOldHost ?? []),
        ...(request.passphrase === undefined ? (environment?.secrets ?? []) : []),
      ];
      const manifest = newManifest({
        createdAt: dumped.at.toISOString(),
        tool: `bulkhead ${VERSION}`,
        database: { ...dumped.database, verified: untried === undefined ? 'restored' : 'readable' },
        assets: assets && { files: assets.files, bytes: assets.bytes },
        environment: environment && { leftOut, sealed },
        members: [...writer.members],
      });
      await writer.addText(MANIFEST, `${JSON.stringify(manifest)}\n`);
      writer.finish();
      return { manifest, assets };
    };
    const filling = fill();
    // Whoever reads the archive is told as well, and waits no longer.
    filling.catch((error: unknown) => writer.fail(error));
    const [{ manifest, assets }] = await Promise.all([
      filling,
      pipeline(writer.archive, createWriteStream(file, { flags: 'wx', mode: 0o600, flush: true }), {
        signal,
      }),
    ]);
    tell('reading the bundle back');
    const back = await openBundle(file, {
      major: dumped.clients.major,
      passphrase: request.passphrase,
      signal,
    });
    renameSync(file, output);
    syncFolder(folder);
    return {
      path: output,
      size: statSync(output).size,
      sha256: back.sha256,
      rows: manifest.database.tables.reduce((sum, { rows }) => sum + rows, 0),
      tables: manifest.database.tables.length,
      database: manifest.database.name,
      verified: manifest.database.verified,
      untried,
      largeObjects: manifest.database.largeObjects,
      assets,
      environment: manifest.environment,
    };
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function makeStage(folder: string): string {
  try {
    return mkdtempSync(join(folder, '.stage-bundle-'));
  } catch (cause) {
    throw new Failure(`cannot write a bundle into ${folder}: ${messageOf(cause)}`, {
      remedy: 'name a file in a folder that is there and can be written: --output FILE',
      cause,
    });
  }
}

async function readEnvironment({
  envFile,
  url,
}: Pick<BundleRequest, 'envFile' | 'url'>): Promise<SplitEnvironment | undefined> {
  if (envFile === undefined) return undefined;
  let content: Buffer;
  try {
    content = await readFile(envFile);
  } catch (cause) {
    throw new Failure(`cannot read the environment file ${envFile}: ${messageOf(cause)}`, {
      remedy: 'name the file the application has its variables from: --env-file FILE',
      cause,
    });
  }
  if (content.length > LARGEST_ENVIRONMENT || content.includes(0)) {
    throw new Failure(`cannot bundle ${envFile}: it is no environment file`, {
      remedy: 'name one with lines NAME=value',
    });
  }
  return splitEnvironment(content.toString('utf8'), url);
}

/** Whether it is worth asking for a passphrase. */
export async function hasSecrets(request: Pick<BundleRequest, 'envFile' | 'url'>): Promise<boolean> {
  const environment = await readEnvironment(request);
  return (environment?.secrets.length ?? 0) > 0;
}

async function writeEnvironment(
  writer: ReturnType<typeof openBundleWriter>,
  environment: SplitEnvironment | undefined,
  passphrase: string | undefined,
): Promise<void> {
  if (environment === undefined) return;
  await writer.addText(ENVIRONMENT, environment.plain);
  if (passphrase === undefined || environment.secrets.length === 0) return;
  const chunks: Uint8Array[] = [];
  for await (const chunk of encrypt(once(Buffer.from(environment.whole)), { passphrase })) chunks.push(chunk);
  await writer.addText(SEALED_ENVIRONMENT, Buffer.concat(chunks));
}

async function* once(content: Uint8Array): AsyncGenerator<Uint8Array> {
  if (content.length > 0) yield content;
}
