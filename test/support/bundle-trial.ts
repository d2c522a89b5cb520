/** A first boot that finds a bundle, to be killed: afterwards all of it is there, once. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compareFingerprints, LARGE_OBJECTS } from '../../src/postgres/fingerprint.ts';
import { ENVIRONMENT, makeOldHost, type OldHost, PASSPHRASE, readManifest } from './bundles.ts';
import { prepareFirstBoot } from './first-boot-trial.ts';
import type { Trial } from './kill-harness.ts';

export interface BundleBoots {
  prepare(): Promise<Trial>;
  remove(): Promise<void>;
}

/** Of an old host with `rows` rows and some hundred files. */
export function makeBundleBoots(rows = 60_000): BundleBoots {
  let ground: Promise<Ground> | undefined;
  return {
    prepare: async () => {
      ground ??= makeGround(rows);
      const { bundle, files, tables } = await ground;
      const compare = (prints: Parameters<typeof compareFingerprints>[1]): string[] =>
        compareFingerprints(
          tables,
          prints.filter(({ table }) => table !== LARGE_OBJECTS),
        );
      const look = (dataDir: string): string[] => [
        ...(hashFolder(join(dataDir, 'assets')) === files ? [] : ['the assets are not those of the bundle']),
        ...compareEnvironment(join(dataDir, 'config')),
      ];
      return prepareFirstBoot(bundle, compare, look, { BUNDLE_PASSPHRASE: PASSPHRASE });
    },
    remove: async () => (await ground)?.host.remove(),
  };
}

interface Ground {
  readonly host: OldHost;
  readonly bundle: string;
  readonly files: string;
  readonly tables: Parameters<typeof compareFingerprints>[0];
}

async function makeGround(rows: number): Promise<Ground> {
  const host = await makeOldHost(rows);
  const assets = join(host.folder, 'uploads');
  for (let index = 0; index < 300; index += 1) {
    writeFileSync(join(assets, 'a', `${index}.bin`), Buffer.alloc(20_000, `file ${index}`));
  }
  const { path } = await host.bundle('move.bundle.tar');
  await host.server.stop();
  const { database } = await readManifest(path);
  return { host, bundle: path, files: hashFolder(assets, ['out']), tables: database.tables };
}

function hashFolder(folder: string, without: readonly string[] = []): string {
  const hash = createHash('sha256');
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { entry, path } of entries) {
    const name = path.slice(folder.length + 1);
    if (without.includes(name)) continue;
    hash.update(`${name}\0`);
    if (entry.isFile()) hash.update(readFileSync(path));
  }
  return hash.digest('hex');
}

/** One file, decrypted, but for the address of the old database. */
function compareEnvironment(folder: string): string[] {
  const names = readdirSync(folder).join();
  if (names !== 'app.env') return [`the folder of configuration holds ${names || 'nothing'}`];
  const wanted = ENVIRONMENT.replace(
    /^DATABASE_URL=.*$/m,
    '# DATABASE_URL was left out: the new host has its own',
  );
  return readFileSync(join(folder, 'app.env'), 'utf8') === wanted
    ? []
    : ['app.env is not that of the bundle'];
}
