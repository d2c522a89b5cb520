import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

let volume: TestVolume;
beforeEach(async () => {
  volume = await makeVolume();
});
afterEach(() => volume.remove());

const dumpOf = (sql: string): string =>
  `--\n-- PostgreSQL database dump\n--\n${sql}\n--\n-- PostgreSQL database dump complete\n--\n`;
/** Small as text, so that nobody sees beforehand how much it becomes. */
const GROWING = 'CREATE TABLE public.t AS SELECT n, md5(n::text) FROM generate_series(1, 20000000) n;';

function put(sql: string): string {
  const file = join(volume.dataDir, 'import', 'dump.sql');
  mkdirSync(join(volume.dataDir, 'import'), { recursive: true });
  writeFileSync(file, dumpOf(sql));
  return file;
}

/** A disk of its own for the tables alone; undefined where mounting is not ours to do. */
function mountSmallDisk(): string | undefined {
  const path = join(volume.root, 'disk');
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160m,mode=0700', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  const { uid, gid } = statSync(join(volume.dataDir, 'pg'));
  chownSync(path, uid, gid);
  return path;
}

test('case 10: a disk that fills up in the middle of an import: scratch gone, server up, the reason told, a retry works', async (context) => {
  const disk = mountSmallDisk();
  if (disk === undefined) return context.skip('mounting a small disk needs root');
  try {
    execFileSync('cp', ['-a', `${join(volume.dataDir, 'pg')}/.`, disk]);
    execFileSync('mount', ['--bind', disk, join(volume.dataDir, 'pg')]);
    try {
      put(GROWING);
      const plan = {
        settings: {
          max_wal_size: '64MB',
          min_wal_size: '32MB',
          fsync: 'off',
          wal_level: 'minimal',
          max_wal_senders: '0',
        },
      };
      const full = await volume.boot({ plan });
      expect(full.code).toBe(12);
      expect(full.failure).toMatch(
        /the disk is full \(.*No space left on device\)\n {2}free space on the volume/,
      );
      expect(await volume.databases()).toEqual([]);

      execFileSync('mount', ['-o', 'remount,size=400m', disk]);
      put(GROWING.replace('20000000', '1000'));
      const again = await volume.run('setup', { plan });
      expect(again.failure).toBeUndefined();
      expect(await volume.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 1000 }]);
    } finally {
      await volume.stopServer('SIGQUIT');
      execFileSync('umount', ['-l', join(volume.dataDir, 'pg')]);
    }
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
});

test('a connection that is cut in the middle of an import leaves nothing, and the reason is told', async () => {
  put('CREATE TABLE public.t (a int);\nSELECT pg_sleep(60);');
  await volume.run('cluster');
  await volume.startServer();
  const setup = volume.run('setup');
  const find = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND usename = 'tools_user'`;
  while ((await volume.admin(find)).length === 0);
  const cut = await setup;
  expect(cut.code).toBe(12);
  expect(cut.failure).toContain('the connection to the database was cut');
  expect(await volume.databases()).toEqual([]);
});

test('a server that dies in the middle of an import: the next boot begins anew', async () => {
  put('CREATE TABLE public.t (a int);\nSELECT pg_sleep(60);');
  await volume.run('cluster');
  await volume.startServer();
  const setup = volume.run('setup');
  const find = `SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND usename = 'tools_user'`;
  while ((await volume.admin(find)).length === 0);
  await volume.stopServer('SIGQUIT');
  expect((await setup).failure).toMatch(/the connection to the database was cut|terminating connection/);
  put('CREATE TABLE public.t (a int);');
  expect((await volume.boot()).failure).toBeUndefined();
  expect(await volume.databases()).toEqual(['tools']);
});
