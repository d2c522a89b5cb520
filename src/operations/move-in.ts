/**
 * A bundle of another host becomes this empty volume's data, all of it or nothing: the dump is imported into a new
 * cluster in a stage, assets and configuration wait in stages beside their places, and the flip of the operation is
 * the one moment at which it has happened. The task `cluster` does it, and finishes the flip.
 */
import { lstatSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { DUMP } from '../bundles/bundle-format.ts';
import { type OpenBundle, openBundle } from '../bundles/open-bundle.ts';
import { unpackBundle } from '../bundles/unpack-bundle.ts';
import { reconcileRole } from '../database/app-role.ts';
import { belongingsOf, removeBelongings } from '../database/belongings.ts';
import { importDump } from '../dumps/import-dump.ts';
import { findBinaries, findTool, type PostgresBinaries } from '../postgres/binaries.ts';
import { connectAsSuperuser, type Server } from '../postgres/connect.ts';
import { compareFingerprints, fingerprintTables, LARGE_OBJECTS } from '../postgres/fingerprint.ts';
import { type Layout, layoutOf } from '../postgres/layout.ts';
import { ensureLedger } from '../postgres/ledger.ts';
import { newOperation } from '../postgres/operation.ts';
import { APP_PASSWORD, readSecret } from '../postgres/secrets.ts';
import { databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import { syncTree } from '../system/sync-tree.ts';
import { syncFolder, writeFileAtomic } from '../system/write-file-atomic.ts';
import { fillNewCluster, superuserPassword } from './staged-cluster.ts';
import { buildCluster, type Workspace } from './workspace.ts';

/** What packed text grows to, with indexes. */
const GROWTH = 8;
const OWN_ROOM = 256 * 1024 ** 2;

/** Reads all of it and changes nothing. @throws Failure where it cannot be used, or something is in its way. */
export async function openMoveIn(job: Job, path: string): Promise<() => Promise<void>> {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const binaries = findBinaries({ libraryDir: join(layout.sockets, 'lib') });
  if (findTool(binaries, 'pg_restore') === undefined) {
    throw new Failure(`cannot move in ${path}: here is no pg_restore to read its dump`, {
      remedy: `install the package postgresql-client-${binaries.major}`,
    });
  }
  const { bundlePassphrase, noBundlePassphrase } = job.assignment.secrets;
  if (noBundlePassphrase !== undefined) {
    throw new Failure(
      `cannot move in ${path}: BUNDLE_PASSPHRASE_FILE is ${noBundlePassphrase}, and nothing can be read there`,
      {
        remedy: 'mount it there, or unset the variable: then its secrets stay encrypted; nothing was changed',
      },
    );
  }
  const { size } = statSync(path);
  const progress = tellProgress(`checking ${basename(path)}`, job.report, job.say);
  const bundle = await openBundle(path, {
    major: binaries.major,
    passphrase: bundlePassphrase,
    signal: job.signal,
    onBytes: (bytes) => progress.tell(bytes, size, `${formatSize(bytes)} of ${formatSize(size)}`),
  });
  if (bundle.manifest.assets !== undefined) requireNoAssets(layout, path);
  return () => moveIn(job, layout, binaries, bundle);
}

function requireNoAssets({ dataDir }: Layout, bundle: string): void {
  const folder = join(dataDir, 'assets');
  const there = lstatSync(folder, { throwIfNoEntry: false });
  const why =
    there === undefined
      ? undefined
      : !there.isDirectory()
        ? 'is no folder'
        : readdirSync(folder).some((name) => name !== 'lost+found')
          ? 'has something in it'
          : undefined;
  if (why === undefined) return;
  throw new Failure(`cannot move in ${bundle}: it brings assets, and ${folder} ${why}`, {
    remedy: 'move away what is there, then start again; nothing was changed',
  });
}

async function moveIn(
  job: Job,
  layout: Layout,
  binaries: PostgresBinaries,
  bundle: OpenBundle,
): Promise<void> {
  const user = databaseUser(job.plan.systemUser);
  const { manifest, path } = bundle;
  const operation = newOperation('move-in', {
    from: undefined,
    to: binaries.major,
    what: `move of ${basename(path)}`,
  });
  const dumpSize = manifest.members.find((member) => member.path === DUMP)?.size ?? 0;
  const needed = dumpSize * GROWTH + (manifest.assets?.bytes ?? 0) + OWN_ROOM;
  try {
    await buildCluster({ layout, user, operation, needed }, async (workspace) => {
      const dump = await unpack(job, layout, bundle, workspace, operation.stage);
      await fillNewCluster(
        { layout, binaries, user, signal: job.signal, roles: [job.plan.user] },
        workspace,
        ({ socketDir, port }) => importInto(job, layout, bundle, dump, { socketDir, port }),
      );
      rmSync(dump);
    });
  } catch (error) {
    removeBelongings(layout, operation.stage);
    throw error;
  }
  if (bundle.sealed !== undefined) {
    job.note(
      `the secrets of ${path} are encrypted: config/app.env has everything else, and config/app.env.age all of it; ` +
        'age --decrypt opens it with the passphrase, or start an empty volume with BUNDLE_PASSPHRASE_FILE',
    );
  }
  const { leftOut = [] } = manifest.environment ?? {};
  if (leftOut.length > 0) job.note(`left out of config/app.env when it was bundled: ${leftOut.join(', ')}`);
}

/** On the disk when it resolves. Returns where the dump is. */
async function unpack(
  job: Job,
  layout: Layout,
  bundle: OpenBundle,
  workspace: Workspace,
  stage: string,
): Promise<string> {
  const places = belongingsOf(layout, stage);
  const dump = join(workspace.folder, DUMP);
  const progress = tellProgress(`unpacking ${basename(bundle.path)}`, job.report, job.say);
  const { uid, gid } = statSync(places.assets.place, { throwIfNoEntry: false }) ?? {};
  const isRoot = process.geteuid?.() === 0;
  await unpackBundle(bundle, {
    dump,
    assets: places.assets.stage,
    owner: isRoot && uid !== undefined && gid !== undefined ? { uid, gid } : undefined,
    signal: job.signal,
    onBytes: (bytes) =>
      progress.tell(bytes, bundle.size, `${formatSize(bytes)} of ${formatSize(bundle.size)}`),
  });
  if (bundle.manifest.assets !== undefined) {
    syncTree(places.assets.stage);
    syncFolder(join(places.assets.stage, '..'));
  }
  const files = [
    [places.environment, bundle.environment],
    [places.sealed, bundle.sealed],
  ] as const;
  for (const [place, content] of files) {
    if (content !== undefined) writeFileAtomic(place.stage, content, { mode: 0o600 });
  }
  return dump;
}

async function importInto(
  job: Job,
  layout: Layout,
  { manifest, path, sha256, size, mtimeMs }: OpenBundle,
  dump: string,
  place: Pick<Server, 'socketDir' | 'port'>,
): Promise<void> {
  const appPassword =
    job.plan.password ?? job.assignment.secrets.appPassword ?? readSecret(layout.secrets, APP_PASSWORD) ?? '';
  const user = databaseUser(job.plan.systemUser);
  const server: Server = {
    ...place,
    superuserPassword: superuserPassword(layout, user),
    appUser: job.plan.user,
    appPassword,
  };
  const { tables, largeObjects } = manifest.database;
  const verify = async (scratch: string): Promise<void> => {
    const inside = await connectAsSuperuser(server, scratch);
    try {
      const prints = await fingerprintTables(inside, { like: tables });
      const found = largeObjects ? prints : prints.filter(({ table }) => table !== LARGE_OBJECTS);
      const differences = compareFingerprints(tables, found);
      if (differences.length === 0) return;
      throw new Failure(
        `cannot move in ${path}: what came out of its dump is not what was dumped: ${differences.slice(0, 3).join('; ')}`,
        { remedy: 'nothing was changed; make the bundle anew on the old host' },
      );
    } finally {
      await inside.end();
    }
  };
  const session = await connectAsSuperuser(server);
  try {
    await ensureLedger(session);
    await reconcileRole(session, job.plan.user, appPassword);
    const detail = { file: path, size, mtimeMs };
    await importDump({
      job,
      server,
      session,
      path: dump,
      replace: false,
      bundle: { detail, sha256, verify },
    });
  } finally {
    await session.end();
  }
}
