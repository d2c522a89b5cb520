import { execFileSync, spawn } from 'node:child_process';
import {
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBackup, readShelf, type ShelvedBackup } from '../../src/backups/shelf.ts';
import { findBinaries } from '../../src/postgres/binaries.ts';
import type { BackupRunResult, PruneResult, VerifyResult } from '../../src/protocol/backups.ts';
import { takeLock } from '../../src/system/lock.ts';
import type { Ended, TestVolume } from '../support/postgres.ts';
import { shelve } from '../support/shelf.ts';
import { makeVolume } from '../support/volume.ts';

const isRoot = process.geteuid?.() === 0;
let volume: TestVolume;
let bin: string;
let root: string;

beforeAll(async () => {
  volume = await makeVolume({ plan: { settings: { fsync: 'off', autovacuum: 'off' } } });
  const setup = await volume.boot();
  expect(setup.failure).toBeUndefined();
  root = join(volume.dataDir, 'backups');
  ({ bin } = findBinaries({ libraryDir: join(volume.root, 'lib') }));
  const schema = readFileSync(join(import.meta.dirname, '..', 'database', 'real-schema.sql'), 'utf8');
  await volume.admin('CREATE EXTENSION pg_stat_statements; CREATE EXTENSION pageinspect', 'tools');
  await volume.admin('CREATE ROLE reader_of_dumps');
  await volume.query(schema.replace('CREATE ROLE reader_of_dumps;', ''));
  await volume.query('ALTER TABLE tools FORCE ROW LEVEL SECURITY');
  pgbench('-i', '-q', '-s', '1');
});

afterAll(() => volume.remove());

const connection = () => [
  ...['-h', '127.0.0.1', '-p', String(volume.plan.port)],
  ...['-U', volume.plan.user, volume.plan.name],
];
const asApp = () => ({ PATH: process.env.PATH, PGPASSWORD: volume.password() });
const pgbench = (...flags: string[]) =>
  execFileSync(join(bin, 'pgbench'), [...flags, ...connection()], { env: asApp(), stdio: 'ignore' });
const shelf = () => readShelf(root, ['dump', 'base']);
const ids = () => shelf().map(({ id }) => id);
const run = (input: Record<string, string>): Promise<Ended> => volume.run('backup', { input });
const verify = async (input: Record<string, string>): Promise<readonly VerifyResult[]> =>
  requireWell(await volume.run('verify-backups', { input })) as readonly VerifyResult[];

function requireWell(ended: Ended): unknown {
  expect(ended.failure ?? (ended.code === 0 ? undefined : ended.stderr)).toBeUndefined();
  return ended.result;
}

async function make(
  what: 'daily' | 'base',
  level?: string,
): Promise<{ made: BackupRunResult; backup: ShelvedBackup }> {
  const made = requireWell(await run({ what, ...(level ? { level } : {}) })) as BackupRunResult;
  return { made, backup: findBackup(shelf(), made.made[0]?.backup.id ?? '') };
}

/** Whatever is unfinished, here and beside the cluster. */
function leftovers(): string[] {
  return [join(volume.dataDir, 'pg'), join(root, 'dump'), join(root, 'base')].flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('.stage-')) : [],
  );
}

describe('bulkhead backup run daily', () => {
  test('dumps one moment while others write, and proves it by restoring it', async () => {
    const writers = spawn(join(bin, 'pgbench'), ['-n', '-c', '2', '-T', '60', ...connection()], {
      env: asApp(),
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => writers.once('close', resolve));
    try {
      const { made, backup } = await make('daily');
      expect(made.made[0]).toMatchObject({
        backup: { kind: 'dump', verified: { level: 'restored', ok: true } },
        verified: { level: 'restored', ok: true },
      });
      expect(backup.broken).toBeUndefined();
      const database = backup.manifest?.databases?.[0];
      expect(database).toMatchObject({
        name: 'tools',
        owner: 'tools_user',
        extensions: ['citext', 'pageinspect', 'pg_stat_statements'],
      });
      const rows = new Map(database?.tables.map((table) => [table.table, table.rows]));
      expect(rows.get('public.pgbench_accounts')).toBe(100_000);
      expect(rows.get('public.pgbench_history')).toBeGreaterThan(0);
      expect(leftovers()).toEqual([]);
    } finally {
      writers.kill();
      await ended;
    }
  });

  test('tells how far it is', async () => {
    const ended = await run({ what: 'daily', level: 'readable' });
    const told = ended.reports.flatMap((report) => (report.type === 'progress' ? [report.progress] : []));
    expect(told).toContainEqual({
      what: 'dumping tools',
      percent: 100,
      detail: expect.stringMatching(/^\d+ MB of \d+ MB$/),
    });
  });

  test('leaves roles without the hashes of their passwords, readable to nobody else', () => {
    const { folder } = findBackup(shelf(), 'latest', 'dump');
    const globals = readFileSync(join(folder, 'globals.sql'), 'utf8');
    expect(globals).toContain('CREATE ROLE tools_user');
    expect(globals).not.toContain('SCRAM-SHA-256');
    expect(statSync(root).mode & 0o7).toBe(0);
  });

  test('can be restored by plain pg_restore, without us', async () => {
    const { folder } = findBackup(shelf(), 'latest', 'dump');
    await volume.admin('CREATE DATABASE plain');
    const server = ['-h', join(volume.runDir, 'pg'), '-p', String(volume.plan.port), '-U', 'bulkhead'];
    // The owner's own policies would keep the superuser's REFRESH, as the owner, from their rows.
    const flags = ['--exit-on-error', '--no-owner', '-d', 'plain'];
    execFileSync(join(bin, 'pg_restore'), [...server, ...flags, join(folder, 'tools.dump')]);
    expect(await volume.admin('SELECT count(*)::int AS rows FROM pgbench_accounts', 'plain')).toEqual([
      { rows: 100_000 },
    ]);
    await volume.admin('DROP DATABASE plain');
  });

  test('is refused while another one works, and where the disk would be too full', async () => {
    const before = ids();
    const lock = takeLock(join(root, 'lock'));
    const busy = await run({ what: 'daily' });
    lock?.release();
    expect(busy.failure).toContain('another backup, verification or restore is running');
    expect(busy.code).toBe(5);
    const held = takeLock(join(root, 'lock'));
    const asked = volume.run('verify-backups', { input: { level: 'files', wait: 'yes' } });
    expect(await Promise.race([asked, delay(1500, 'waits')])).toBe('waits');
    held?.release();
    expect(await asked).toMatchObject({ code: 0, result: [{ ok: true }] });
    const full = await volume.run('backup', { input: { what: 'daily' }, backups: { diskFloor: 2 ** 60 } });
    expect(full.failure).toMatch(/it needs about .* must stay free.*\n.*backups\.disk_floor/);
    expect(ids()).toEqual(before);
  });

  test('names the package where there is no pg_dump', async () => {
    const folder = join(volume.root, 'server-only');
    mkdirSync(folder);
    for (const tool of ['postgres', 'initdb']) symlinkSync(join(bin, tool), join(folder, tool));
    const ended = await volume.run('backup', {
      input: { what: 'daily' },
      env: { BULKHEAD_POSTGRES_BIN: folder },
    });
    expect(ended.failure).toMatch(/this installation of PostgreSQL has no pg_dump\n.*postgresql-client-\d+/);
  });
});

describe('bulkhead backup verify', () => {
  const damage = (how: (dump: string, manifest: string) => void): string => {
    const { id, folder } = findBackup(shelf(), 'latest', 'dump');
    const copy = `${id.slice(0, -6)}${Math.random().toString(16).slice(2, 8).padEnd(6, '0')}`;
    const to = join(root, 'dump', copy);
    cpSync(folder, to, { recursive: true });
    const manifest = join(to, 'manifest.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replaceAll(id, copy));
    how(join(to, 'tools.dump'), manifest);
    if (isRoot) execFileSync('chown', ['-R', 'postgres:', to]);
    return copy;
  };
  const flip = (path: string): void => {
    const fd = openSync(path, 'r+');
    const byte = Buffer.alloc(1);
    const at = Math.floor(statSync(path).size / 2);
    readSync(fd, byte, 0, 1, at);
    writeSync(fd, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, at);
    closeSync(fd);
  };
  const verifyOne = async (id: string, level: string): Promise<VerifyResult | undefined> => {
    const [result] = await verify({ ids: id, level });
    rmSync(join(root, 'dump', id), { recursive: true });
    return result;
  };

  test('finds one flipped bit, a cut file, a missing one', async () => {
    expect(await verifyOne(damage(flip), 'files')).toMatchObject({
      ok: false,
      problem: 'tools.dump has other content than when it was made',
    });
    expect(
      await verifyOne(
        damage((dump) => truncateSync(dump, 1000)),
        'files',
      ),
    ).toMatchObject({
      ok: false,
      problem: expect.stringMatching(/^tools\.dump has 1000 bytes instead of \d+$/),
    });
    expect(
      await verifyOne(
        damage((dump) => rmSync(dump)),
        'restored',
      ),
    ).toMatchObject({
      ok: false,
      problem: 'tools.dump is missing',
    });
    expect(
      await verifyOne(
        damage((_, manifest) => rmSync(manifest)),
        'restored',
      ),
    ).toMatchObject({
      ok: false,
      problem: 'it has no manifest',
    });
  });

  test('finds a restored table that is not the one that was dumped', async () => {
    const id = damage((_, manifest) => {
      const found = JSON.parse(readFileSync(manifest, 'utf8'));
      found.databases[0].tables.find(
        (table: { table: string }) => table.table === 'public.pgbench_tellers',
      ).hash = '1';
      writeFileSync(manifest, JSON.stringify(found));
    });
    expect(await verifyOne(id, 'restored')).toMatchObject({
      level: 'restored',
      ok: false,
      problem: 'restored, public.pgbench_tellers has other content in its 10 rows',
    });
    expect(leftovers()).toEqual([]);
  });

  test('that looks less deeply leaves what a deeper look has shown, unless it finds something', async () => {
    const { id } = findBackup(shelf(), 'latest', 'dump');
    await verify({ ids: id, level: 'restored' });
    expect(await verify({ ids: id, level: 'files' })).toMatchObject([{ id, level: 'files', ok: true }]);
    expect(findBackup(shelf(), id).verified).toMatchObject({ level: 'restored', ok: true });
    const dump = join(findBackup(shelf(), id).folder, 'tools.dump');
    flip(dump);
    await verify({ ids: id, level: 'files' });
    expect(findBackup(shelf(), id).verified).toMatchObject({ level: 'files', ok: false });
    flip(dump);
    await verify({ ids: id, level: 'readable' });
    expect(findBackup(shelf(), id).verified).toMatchObject({ level: 'readable', ok: true });
  });
});

describe('bulkhead backup run base', () => {
  test('copies the whole cluster, starts a copy of the copy, reads every row of it and compares its indexes', async () => {
    await loseRowsOfIndex();
    const ended = await run({ what: 'base' });
    const made = requireWell(ended) as BackupRunResult;
    const backup = findBackup(shelf(), made.made[0]?.backup.id ?? '');
    expect(ended.notes.filter((note) => note.includes('do not fit their tables'))).toEqual([
      expect.stringMatching(/database tools .*: public\.lost_n: heap tuple .* lacks matching index tuple/),
    ]);
    await volume.query('DROP TABLE lost');
    expect(made.made[0]?.verified).toMatchObject({ level: 'restored', ok: true });
    expect(backup.manifest).toMatchObject({
      kind: 'base',
      wal: { startLsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/), timeline: 1 },
      emptyFolders: expect.arrayContaining(['cluster/pg_notify', 'cluster/pg_twophase']),
    });
    expect(backup.broken).toBeUndefined();
    expect(leftovers()).toEqual([]);
    // One bit of a table, and pg_verifybackup or our hash finds it.
    const file = backup.manifest?.files.find(
      ({ path }) => /cluster\/base\/\d+\/\d+$/.test(path) && !path.includes('/1/'),
    );
    const path = join(backup.folder, file?.path ?? '');
    const bytes = readFileSync(path);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    expect(await verify({ ids: backup.id, level: 'files' })).toMatchObject([{ ok: false }]);
    rmSync(backup.folder, { recursive: true });
  });

  /** Rows that come while an index is not ready for them are not in it. */
  async function loseRowsOfIndex(): Promise<void> {
    await volume.query('CREATE TABLE lost (n int); CREATE INDEX lost_n ON lost (n)');
    const ready = (is: boolean): Promise<unknown> =>
      volume.admin(
        `UPDATE pg_index SET indisready = ${is} WHERE indexrelid = 'public.lost_n'::regclass`,
        'tools',
      );
    await ready(false);
    await volume.query('INSERT INTO lost VALUES (1), (2)');
    await ready(true);
  }

  test('is refused where tablespaces lie outside of the cluster', async () => {
    const elsewhere = join(volume.root, 'elsewhere');
    mkdirSync(elsewhere);
    if (isRoot) execFileSync('chown', ['postgres:', elsewhere]);
    await volume.admin(`CREATE TABLESPACE elsewhere LOCATION '${elsewhere}'`);
    const ended = await run({ what: 'base' });
    await volume.admin('DROP TABLESPACE elsewhere');
    expect(ended.failure).toContain('the cluster has tablespaces outside of its folder (elsewhere)');
  });
});

describe('bulkhead backup prune and pin', () => {
  const old = (daysAgo: number): string => new Date(Date.now() - daysAgo * 86_400_000).toISOString();
  const prune = async (dryRun: boolean): Promise<PruneResult> =>
    requireWell(
      await volume.run('prune-backups', {
        input: dryRun ? { dryRun: 'yes' } : {},
        backups: { keep: { days: 30, weekly: 0, monthly: 0, verified: 1 } },
      }),
    ) as PruneResult;
  const give = (): void => {
    if (isRoot) execFileSync('chown', ['-R', 'postgres:', root]);
  };

  test('case 24: names that begin alike and whatever is not ours stay, and so do pinned ones', async () => {
    requireWell(await run({ what: 'daily', level: 'readable' }));
    const made = Array.from({ length: 40 }, (_, index) => shelve(root, old(index + 0.5), { verified: {} }));
    const gone = [shelve(root, old(50), { verified: {} }), shelve(root, old(60), { verified: {} })];
    const pinned = shelve(root, old(70), { verified: {} });
    // One silence before it would look like a jump of the clock, and it would stay for that.
    const between = shelve(root, old(45), { verified: {} });
    const foreign = ['app-staging', `${gone[0]}-copy`, gone[0]?.replace('-dump-', '-dumb-') ?? '', '.stage'];
    for (const name of foreign) mkdirSync(join(root, 'dump', name));
    give();
    for (const id of [pinned, between]) requireWell(await volume.run('pin-backup', { input: { id } }));
    const shown = await prune(true);
    const wouldGo = shown.backups.filter(({ keep }) => !keep).map(({ id }) => id);
    expect(shown.held).toEqual([]);
    expect(wouldGo).toEqual([...made.slice(30), ...gone]);
    expect(ids()).toEqual(expect.arrayContaining(wouldGo));
    await prune(false);
    expect(ids().filter((id) => wouldGo.includes(id))).toEqual([]);
    expect(ids()).toEqual(expect.arrayContaining([...made.slice(0, 30), pinned]));
    expect(readdirSync(join(root, 'dump'))).toEqual(expect.arrayContaining(foreign));
    requireWell(await volume.run('pin-backup', { input: { id: pinned, unpin: 'yes' } }));
    expect((await prune(true)).backups.filter(({ keep }) => !keep).map(({ id }) => id)).toEqual([pinned]);
    await prune(false);
    for (const name of foreign) rmSync(join(root, 'dump', name), { recursive: true });
  });
});

describe('a backup that fails', () => {
  const prunable = (): string => {
    const id = shelve(root, new Date(Date.now() - 500 * 86_400_000).toISOString(), { verified: {} });
    if (isRoot) execFileSync('chown', ['-R', 'postgres:', root]);
    return id;
  };
  const lastRun = () => JSON.parse(readFileSync(join(root, 'last-run.json'), 'utf8'));

  test('case 23: by a damaged page: no new one appears, the old stay, nothing is pruned, an alarm is set', async () => {
    prunable();
    const before = ids();
    const [{ path } = { path: '' }] = await volume.query<{ path: string }>(
      `SELECT pg_relation_filepath('pgbench_accounts') AS path`,
    );
    await volume.stopServer();
    const file = join(volume.dataDir, 'pg', 'current', path);
    const fd = openSync(file, 'r+');
    const kept = Buffer.alloc(16);
    readSync(fd, kept, 0, 16, 8192 * 100 + 4000);
    writeSync(fd, Buffer.alloc(16, 0xff), 0, 16, 8192 * 100 + 4000);
    closeSync(fd);
    await volume.startServer();
    const ended = await run({ what: 'daily' });
    expect(ended.code).toBe(12);
    expect(ended.failure).toMatch(
      /invalid page in block 100[^\n]*\n.*a page of the database is damaged: keep the backups/,
    );
    expect(ids()).toEqual(before);
    expect(leftovers()).toEqual([]);
    expect(lastRun()).toMatchObject({ ok: false, problem: expect.stringContaining('invalid page') });
    const pruned = requireWell(
      await volume.run('prune-backups', {
        backups: { keep: { days: 0, weekly: 0, monthly: 0, verified: 1 } },
      }),
    ) as PruneResult;
    expect(pruned.held).toEqual([expect.stringContaining('the last run failed: ')]);
    expect(ids()).toEqual(before);
    await volume.stopServer();
    const mend = openSync(file, 'r+');
    writeSync(mend, kept, 0, 16, 8192 * 100 + 4000);
    closeSync(mend);
    await volume.startServer();
  });

  test.runIf(isRoot && canMount())('case 23: by a full disk: no new one appears, the old stay', async () => {
    const disk = join(volume.root, 'small');
    const aside = join(volume.root, 'aside');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', disk]);
    try {
      const { uid, gid } = statSync(root);
      chownSync(disk, uid, gid);
      const kept = shelve(disk, new Date().toISOString(), { verified: {} });
      execFileSync('chown', ['-R', 'postgres:', disk]);
      execFileSync('mv', [root, aside]);
      mkdirSync(root);
      execFileSync('mount', ['--bind', disk, root]);
      const ended = await run({ what: 'daily' });
      expect(ended.failure).toMatch(/No space left on device[^\n]*\n.*make room on the volume/);
      expect(ended.code).toBe(12);
      expect(ids()).toEqual([kept]);
      expect(leftovers()).toEqual([]);
      expect(lastRun()).toMatchObject({ ok: false });
    } finally {
      execFileSync('umount', [root]);
      execFileSync('umount', [disk]);
      rmSync(root, { recursive: true });
      execFileSync('mv', [aside, root]);
    }
  });

  test('and is well again by the next that succeeds', async () => {
    requireWell(await run({ what: 'daily', level: 'readable' }));
    expect(lastRun()).toMatchObject({ ok: true });
  });
});

function canMount(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
