import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { makeEmptyVolume, type TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

const isRoot = process.geteuid?.() === 0;
const canMount =
  isRoot && spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'x', '/mnt']).status === 0;

let volume: TestVolume;
const mounted: string[] = [];
afterEach(async () => {
  for (const path of mounted.splice(0).reverse()) spawnSync('umount', [path]);
  await volume.remove();
});

const data = (...parts: string[]): string => join(volume.dataDir, ...parts);

function put(path: string, text = ''): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function mount(path: string, options: string): void {
  mkdirSync(path, { recursive: true });
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'bulkhead', path]);
  if (status !== 0) throw new Error(String(stderr));
  mounted.push(path);
}

/** Every name of the volume with its kind, mode, owner, size and time. */
function look(): string[] {
  return readdirSync(volume.dataDir, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => {
      const { mode, uid, size, mtimeMs } = lstatSync(data(path));
      return `${path} ${mode} ${uid} ${size} ${mtimeMs}`;
    });
}

async function expectRefused(...words: string[]): Promise<void> {
  const before = look();
  const ended = await volume.run('cluster');
  expect(ended.code).toBe(12);
  for (const word of words) expect(ended.failure).toContain(word);
  expect(look()).toEqual(before);
}

const IDENTITY = {
  layout: 1,
  installId: 'x',
  pgMajor: 17,
  systemIdentifier: '7000000000000000000',
  createdAt: '2026-01-01T00:00:00.000Z',
  everHadData: true,
};

describe('an empty cluster folder', () => {
  test.each<[string, string, () => void, string]>([
    [
      'its identity',
      'this volume has had one since 2026-01-01',
      () => put(data('bulkhead', 'identity.json'), JSON.stringify(IDENTITY)),
      'identity.json',
    ],
    [
      'a backup',
      'a backup of a database lies',
      () => put(data('backups', 'dump', '20260101T000000Z-dump-abc', 'manifest.json'), '{}'),
      'bulkhead backup restore',
    ],
    [
      'a data folder at the mount itself',
      'holds a cluster of PostgreSQL 16',
      () => put(data('PG_VERSION'), '16\n'),
      'pg_dumpall',
    ],
    [
      'Debian’s layout',
      'postgresql/15/main holds a cluster of PostgreSQL 15',
      () => put(data('postgresql', '15', 'main', 'PG_VERSION'), '15\n'),
      'pg_dumpall',
    ],
    ['PGDATA', 'pgdata holds a cluster', () => put(data('pgdata', 'PG_VERSION'), '14\n'), 'pg_dumpall'],
    [
      'Docker’s layout of PostgreSQL 18',
      'pg/18/docker holds a cluster of PostgreSQL 18',
      () => put(data('pg', '18', 'docker', 'PG_VERSION'), '18\n'),
      'pg_dumpall',
    ],
    [
      'a cluster in the trash',
      'pg/trash/20260101-upgrade/main holds a cluster',
      () => put(data('pg', 'trash', '20260101-upgrade', 'main', 'PG_VERSION'), '15\n'),
      'pg_dumpall',
    ],
    [
      'a pointer to what is gone',
      'current points to 15/main, which is not there',
      () => {
        mkdirSync(data('pg'));
        symlinkSync('15/main', data('pg', 'current'));
      },
      'restore a backup',
    ],
  ])('case 19: beside %s gets no new cluster, and nothing is changed', async (_, fact, leave, remedy) => {
    volume = await makeEmptyVolume();
    leave();
    await expectRefused('cannot create a cluster: ', fact, remedy);
  });

  test('beside a stage, a note and dumps is new, and gets one', async () => {
    volume = await makeEmptyVolume();
    put(data('pg', '.stage-init-0', 'main', 'PG_VERSION'), '15\n');
    put(data('backups', 'old.sql'), '--');
    put(data('pg', 'lost+found', 'x'));
    expect((await volume.run('cluster')).failure).toBeUndefined();
    expect(existsSync(data('pg', 'current', 'PG_VERSION'))).toBe(true);
  });
});

describe('a cluster', () => {
  const main = (): string => data('pg', readlinkSync(data('pg', 'current')));

  test('case 2: of which initdb has made only a part is refused with what it lacks, and stays as it is', async () => {
    volume = await makeVolume();
    for (const name of readdirSync(join(main(), 'base')).filter((base) => base !== '1')) {
      rmSync(join(main(), 'base', name), { recursive: true });
    }
    await expectRefused(
      'it has 1 of the 3 databases that initdb makes, so it is not whole',
      'restore the folder',
    );
  });

  test('case 2: that no server has ever closed is refused too', async () => {
    volume = await makeVolume();
    // The byte of "in production", as a kill -9 of initdb's own server leaves it.
    const file = join(main(), 'global', 'pg_control');
    const bytes = readFileSync(file);
    bytes.writeInt32LE(6, 16);
    writeFileSync(file, bytes);
    await expectRefused('no server has ever run on it, and yet it was not closed');
  });

  test('case 19: of a major the image has no programs for is refused, naming both', async () => {
    volume = await makeEmptyVolume({ env: { BULKHEAD_POSTGRES_BIN: 'embedded' } });
    expect((await volume.run('cluster')).code).toBe(0);
    const major = readlinkSync(data('pg', 'current')).split('/')[0] ?? '';
    const system = readdirSync('/usr/lib/postgresql').find((version) => version !== major);
    volume.env.BULKHEAD_POSTGRES_BIN = `/usr/lib/postgresql/${system}/bin`;
    await expectRefused(`cannot start the cluster of PostgreSQL ${major}: here is only PostgreSQL ${system}`);
  });

  test('that the volume’s group has opened is closed again, and starts', async () => {
    volume = await makeVolume();
    chmodSync(main(), 0o2770);
    const ended = await volume.run('cluster');
    expect(ended.notes.join()).toContain('it is closed now');
    await volume.startServer();
  });

  test('that is another one than the volume was known by is told', async () => {
    volume = await makeVolume();
    put(data('bulkhead', 'identity.json'), JSON.stringify(IDENTITY));
    const ended = await volume.run('cluster');
    expect(ended.code).toBe(0);
    expect(ended.notes.join()).toContain('instead of 7000000000000000000 of PostgreSQL 17');
  });
});

describe.runIf(canMount)('mounts of their own', () => {
  test('for the cluster, the WAL archive and the backups are used as they are', async () => {
    volume = await makeEmptyVolume();
    for (const name of ['pg', 'wal', 'backups']) mount(data(name), 'size=400m,mode=0755');
    expect((await volume.boot()).failure).toBeUndefined();
    expect(await volume.stopServer()).toBe(0);
  });

  test.each(['pg', 'wal', 'secrets'])('that are read-only, as %s, are refused by name', async (name) => {
    volume = await makeVolume();
    mount(data(`${name === 'pg' ? 'pg' : name}`), 'ro,size=1m');
    await expectRefused(`cannot use ${data(name)}: it is mounted read-only`, 'without :ro');
  });

  test('too small for a cluster are refused with both sizes, and nothing is left behind', async () => {
    volume = await makeEmptyVolume();
    mount(data('pg'), 'size=100m,mode=0755');
    const ended = await volume.run('cluster');
    expect(ended.code).toBe(12);
    expect(ended.failure).toMatch(/has 100 MB of free space, and a new one needs 256 MB/);
    expect(readdirSync(data('pg'))).toEqual([]);
  });
});

test.runIf(isRoot)('a cluster of another user is refused where we cannot give it to ourselves', async () => {
  volume = await makeVolume();
  const [major = ''] = readlinkSync(data('pg', 'current')).split('/');
  chmodSync(data('pg'), 0o777);
  chownSync(data('pg', major), 12_345, 12_345);
  chmodSync(data('pg', major), 0o755);
  chownSync(data('pg', major, 'main'), 12_345, 12_345);
  const { status, stdout } = spawnSync(
    'setpriv',
    ['--reuid=10001', '--regid=10001', '--clear-groups', process.execPath, '-e', ASK, volume.dataDir],
    { encoding: 'utf8', cwd: join(import.meta.dirname, '..', '..') },
  );
  expect(status).toBe(0);
  expect(stdout).toContain('it belongs to uid 12345, and we are uid 10001');
});

/** The guard alone, as that user. */
const ASK = `
import { layoutOf } from './src/postgres/layout.ts';
import { refuseStrangers } from './src/database/guards.ts';
try { refuseStrangers(layoutOf(process.argv[1], '/run'), { uid: 10001 }); } catch (error) { console.log(error.message); }
`;
