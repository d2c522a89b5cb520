/** A backup to be killed, with the server left alone: of a container only what makes the backup dies. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readLastRun } from '../../src/backups/last-run.ts';
import { isWhole, readShelf } from '../../src/backups/shelf.ts';
import { isProven } from '../../src/protocol/backups.ts';
import { findIdentity } from '../../src/system/users.ts';
import type { Trial } from './kill-harness.ts';
import { makeEmptyVolume, type TestVolume } from './postgres.ts';
import { shelve } from './shelf.ts';

const DAY = 86_400_000;
const program = join(import.meta.dirname, '..', 'programs', 'runs-backup.ts');

export interface Backups {
  prepare(): Promise<Trial>;
  remove(): Promise<void>;
}

/** All of them of one server, which is started by the first. */
export function makeBackups(what: 'daily' | 'base', rows = 30_000): Backups {
  let booted: Promise<TestVolume> | undefined;
  const boot = async (): Promise<TestVolume> => {
    const volume = await makeEmptyVolume();
    const { failure } = await volume.boot();
    if (failure !== undefined) throw new Error(failure);
    await volume.query(
      `CREATE TABLE words AS SELECT n AS id, md5(n::text) AS word FROM generate_series(1, ${rows}) n`,
    );
    return volume;
  };
  return {
    prepare: async () => {
      booted ??= boot();
      return prepareBackup(await booted, what);
    },
    remove: async () => (await booted)?.remove(),
  };
}

/** On a volume whose server runs; each trial has an empty shelf but for one old backup that a prune would take. */
async function prepareBackup(volume: TestVolume, what: 'daily' | 'base'): Promise<Trial> {
  const root = join(volume.dataDir, 'backups');
  const { uid, gid } = findIdentity('postgres');
  for (const kind of ['dump', 'base'] as const) rmSync(join(root, kind), { recursive: true, force: true });
  rmSync(join(root, 'last-run.json'), { force: true });
  const kind = what === 'base' ? 'base' : 'dump';
  const old = [1, 2].map((days) =>
    shelve(root, new Date(Date.now() - days * DAY).toISOString(), { kind, verified: {} }),
  );
  execFileSync('chown', ['-R', 'postgres:', root]);
  return {
    work: {
      command: [process.execPath, '--disable-warning=ExperimentalWarning', program, 'backup'],
      env: {
        PATH: process.env.PATH ?? '',
        RUN_AS_UID: String(uid),
        RUN_AS_GID: String(gid),
        ASSIGNMENT: JSON.stringify(volume.assignment('backup', { input: { what } })),
      },
    },
    violations: async () => {
      const shelf = readShelf(root);
      const [newest] = shelf;
      const gone = old.filter((id) => !shelf.some((backup) => backup.id === id));
      return [
        ...shelf.filter((backup) => !isWhole(backup)).map(({ id, broken }) => `${id} is broken: ${broken}`),
        ...(gone.length > 0 ? [`${gone.join(', ')} went away`] : []),
        ...(newest && isProven(newest.verified) ? [] : [`the newest, ${newest?.id}, is not verified`]),
        ...(readLastRun(root)?.ok ? [] : ['the last run is not well']),
        ...leftovers(volume),
      ];
    },
    remove: () => undefined,
  };
}

function leftovers({ dataDir }: TestVolume): string[] {
  const folders = ['pg', 'backups', 'backups/dump', 'backups/base'].map((name) => join(dataDir, name));
  return folders.flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((name) => /^\.stage-|\.tmp$/.test(name))
          .map((name) => `left behind: ${join(folder, name)}`)
      : [],
  );
}
