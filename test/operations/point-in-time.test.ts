import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBinaries } from '../../src/postgres/binaries.ts';
import { readControlFile } from '../../src/postgres/pg-control.ts';
import type { BackupRunResult } from '../../src/protocol/backups.ts';
import type { PointInTimePlan, PointInTimeResult } from '../../src/protocol/point-in-time.ts';
import { type ArchivedSegment, readArchive } from '../../src/wal/archive.ts';
import { segmentName } from '../../src/wal/segments.ts';
import { type Ended, makeEmptyVolume, type TestVolume } from '../support/postgres.ts';

const ON = { backups: { pointInTime: true } };

let volume: TestVolume;
let archive: string;
let base: string;
/** Between the rows and the DROP. */
let before: string;

function goBack(input: Readonly<Record<string, string>>): Promise<Ended> {
  return volume.run('point-in-time', { ...ON, input });
}

async function now(): Promise<string> {
  const [row] = await volume.admin<{ now: string }>(
    `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now`,
  );
  return row?.now ?? '';
}

/** What runs while a moment is chosen. */
function writeLoad(): { stop(): Promise<void> } {
  const { bin } = findBinaries({ libraryDir: volume.root });
  const env = { ...process.env, PGPASSWORD: volume.password() };
  const target = [
    '-h',
    '127.0.0.1',
    '-p',
    String(volume.plan.port),
    '-U',
    volume.plan.user,
    volume.plan.name,
  ];
  const load = spawn(join(bin, 'pgbench'), ['-n', '-c', '2', '-T', '60', ...target], {
    env,
    stdio: 'ignore',
  });
  return {
    stop: async () => {
      const ended = once(load, 'close');
      load.kill('SIGKILL');
      await ended;
    },
  };
}

beforeAll(async () => {
  volume = await makeEmptyVolume({ plan: { settings: { fsync: 'off', log_checkpoints: 'off' } } });
  expect((await volume.boot(ON)).failure).toBeUndefined();
  archive = join(volume.dataDir, 'wal', readdirSync(join(volume.dataDir, 'wal'))[0] ?? '');
  const { bin } = findBinaries({ libraryDir: volume.root });
  const init = spawn(
    join(bin, 'pgbench'),
    ['-i', '-q', '-h', '127.0.0.1', '-p', String(volume.plan.port), '-U', volume.plan.user, volume.plan.name],
    {
      env: { ...process.env, PGPASSWORD: volume.password() },
      stdio: 'ignore',
    },
  );
  await once(init, 'close');
  const made = await volume.run('backup', { ...ON, input: { what: 'base', level: 'readable' } });
  expect(made.failure).toBeUndefined();
  base = (made.result as BackupRunResult).made[0]?.backup.id ?? '';
  await volume.admin('SELECT pg_switch_wal()');
  const load = writeLoad();
  await volume.query('CREATE TABLE precious AS SELECT g FROM generate_series(1, 5000) g');
  await volume.query('SELECT pg_sleep(0.2)');
  before = await now();
  await volume.query('SELECT pg_sleep(0.2)');
  await volume.query('DROP TABLE precious');
  await volume.admin('SELECT pg_switch_wal()');
  await volume.query('SELECT pg_sleep(0.2)');
  await load.stop();
}, 120_000);
afterAll(() => volume.remove());

describe('back to a moment', () => {
  test('case 22: between rows and their DROP under write load the table is there; nothing in use changes until it is confirmed', async () => {
    const plan = await goBack({ to: before, dryRun: '1' });
    expect(plan.failure).toBeUndefined();
    expect(plan.result as PointInTimePlan).toMatchObject({ base, timeline: 1 });
    const made = await goBack({ to: before });
    expect(made.failure).toBeUndefined();
    const result = made.result as PointInTimeResult;
    expect(Date.parse(result.reached ?? '')).toBeLessThanOrEqual(Date.parse(before));
    const precious = result.tables.find(({ table }) => table === 'public.precious');
    expect(precious).toEqual({ database: 'tools', table: 'public.precious', restored: 5000 });
    const history = result.tables.find(({ table }) => table === 'public.pgbench_history');
    expect(history?.live).toBeGreaterThan(history?.restored ?? 0);
    // What is recovered archives nothing: the archive has only what the one in use wrote.
    expect(readArchive(archive).segments.every(({ timeline }) => timeline === 1)).toBe(true);
    expect([...readArchive(archive).histories.keys()]).toEqual([]);
    expect(await theTable()).toBe(false);

    // Not confirmed, a start sweeps it.
    await restart();
    expect(unfinished()).toEqual([]);
    const late = await goBack({ confirm: result.stage });
    expect(late.failure).toContain('cannot put the new cluster in place: a start has swept it');
    expect(await theTable()).toBe(false);
  });

  test('that cannot be reached is refused before anything is copied, with those that can', async () => {
    for (const to of ['2020-01-01T00:00:00Z', '1000d']) {
      const refused = await goBack({ to });
      expect(refused.code).toBe(5);
      expect(refused.failure).toContain('no base backup and archived log reach');
      expect(refused.failure).toMatch(/possible are moments from \d{4}-\S+Z to \d{4}-\S+Z/);
    }
    expect((await goBack({ to: '2999-01-01T00:00:00Z' })).failure).toContain('is not yet');
    expect((await goBack({ to: '2026-01-01T00:00:00' })).code).toBe(2);
  });

  test('case 21: a flipped byte ends the recovery with an error, a missing segment is refused before it; nothing promotes early', async () => {
    const { segments } = readArchive(archive);
    const [, second, ...more] = segments;
    if (!second || more.length === 0) throw new Error(`only ${segments.length} segments`);
    const path = join(archive, segmentName(second));
    flip(path, 4_000_000);
    for (const to of [before, 'latest']) {
      const refused = await goBack({ to });
      expect(refused.code).toBe(5);
      expect(refused.failure).toContain(
        `cannot recover: cannot use ${path}: its content is not what was archived`,
      );
      expect(unfinished()).toEqual([]);
    }
    flip(path, 4_000_000);
    renameSync(path, `${path}.aside`);
    const late = new Date((more.at(-1) as ArchivedSegment).at).toISOString();
    for (const to of [late, 'latest']) {
      const refused = await goBack({ to });
      expect(refused.code).toBe(5);
      expect(refused.failure).toContain(`${segmentName(second)} is missing`);
    }
    renameSync(`${path}.aside`, path);
    expect(await theTable()).toBe(false);
  });

  test('comes into force with the next start, on a timeline of its own that no later return meets again', {
    timeout: 180_000,
  }, async () => {
    const first = (await goBack({ to: before })).result as PointInTimeResult;
    // What cannot claim its timeline is not confirmed either.
    const taken = join(archive, '00000002.history');
    writeFileSync(taken, 'of another');
    expect((await goBack({ confirm: first.stage })).code).not.toBe(0);
    const order = readFileSync(join(volume.dataDir, 'pg', 'op.json'), 'utf8');
    expect(JSON.parse(order)).toMatchObject({ step: 'built', stage: first.stage });
    rmSync(taken);
    expect((await goBack({ confirm: first.stage })).failure).toBeUndefined();
    await restart();
    expect(await theTable()).toBe(true);
    expect(readControlFile(join(volume.dataDir, 'pg', 'current')).timeline).toBe(2);
    expect([...readArchive(archive).histories.keys()]).toEqual([2]);
    expect(await timeline()).toBe(2);
    // The hours that were given up are still the old timeline's.
    const repeated = await goBack({ to: before });
    expect(repeated.failure).toBeUndefined();
    const again = repeated.result as PointInTimeResult;
    expect(again.timeline).toBe(1);
    expect((await goBack({ confirm: again.stage })).failure).toBeUndefined();
    await restart();
    expect(await timeline()).toBe(3);
    expect(await theTable()).toBe(true);
    // A base backup of the new timeline, and back to its end.
    const made = await volume.run('backup', { ...ON, input: { what: 'base', level: 'readable' } });
    expect(made.failure).toBeUndefined();
    await volume.query('INSERT INTO precious VALUES (0)');
    const latest = (await goBack({ to: 'latest' })).result as PointInTimeResult;
    expect(latest).toMatchObject({ timeline: 3, base: (made.result as BackupRunResult).made[0]?.backup.id });
    expect(latest.tables.filter(({ live, restored }) => live !== restored)).toEqual([]);
    expect((await goBack({ discard: latest.stage })).failure).toBeUndefined();
    expect(unfinished()).toEqual([]);
    // Nor does a base backup that is restored as it is.
    const restored = await volume.run('restore', { ...ON, input: { backup: base, replace: '1' } });
    expect(restored.failure).toBeUndefined();
    await restart();
    expect(await timeline()).toBe(4);
    await volume.query('CREATE TABLE after AS SELECT 1');
    await volume.admin('SELECT pg_switch_wal()');
    await volume.stopServer();
    expect(volume.serverLog).not.toContain('cannot archive');
    expect(readArchive(archive).segments.some(({ timeline: of }) => of === 4)).toBe(true);
  });
});

async function theTable(): Promise<boolean> {
  const [row] = await volume.query<{ there: boolean }>("SELECT to_regclass('precious') IS NOT NULL AS there");
  return row?.there ?? false;
}

async function timeline(): Promise<number> {
  const [row] = await volume.admin<{ timeline_id: number }>(
    'SELECT timeline_id FROM pg_control_checkpoint()',
  );
  return row?.timeline_id ?? 0;
}

async function restart(): Promise<void> {
  await volume.stopServer();
  expect((await volume.boot(ON)).failure).toBeUndefined();
}

function unfinished(): string[] {
  return readdirSync(join(volume.dataDir, 'pg')).filter(
    (name) => name.startsWith('.stage') || name === 'op.json',
  );
}

/** Twice is as it was. */
function flip(path: string, offset: number): void {
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, offset);
  writeSync(fd, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, offset);
  closeSync(fd);
}
