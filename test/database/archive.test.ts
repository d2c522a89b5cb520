import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseStatus } from '../../src/protocol/database-status.ts';
import type { Measures } from '../../src/protocol/metrics.ts';
import { archiveFolder, pruneArchive, readArchive } from '../../src/wal/archive.ts';
import { readGaps, readOpenGap } from '../../src/wal/gap.ts';
import { parseSegment, segmentName } from '../../src/wal/segments.ts';
import { makeEmptyVolume, type TestVolume } from '../support/postgres.ts';

const ON = { backups: { pointInTime: true } };

let volume: TestVolume;
let archive: string;

beforeAll(async () => {
  volume = await makeEmptyVolume();
  expect((await volume.boot(ON)).code).toBe(0);
  archive = join(volume.dataDir, 'wal', readdirSync(join(volume.dataDir, 'wal'))[0] ?? '');
});
afterAll(() => volume.remove());

/** Writes something and has the segment finished; its name. */
async function finishSegment(): Promise<string> {
  await volume.admin('CREATE TABLE IF NOT EXISTS t (n int); INSERT INTO t VALUES (1)');
  const [row] = await volume.admin<{ name: string }>('SELECT pg_walfile_name(pg_switch_wal()) AS name');
  return row?.name ?? '';
}

async function archived(name: string): Promise<void> {
  while (!existsSync(join(archive, name))) await sleep(20);
}

describe('with point_in_time', () => {
  test('every finished segment is archived, and its settings have reasons', async () => {
    const [identifier] = await volume.admin<{ id: string; major: string }>(
      `SELECT system_identifier::text AS id, current_setting('server_version_num')::int / 10000 AS major
         FROM pg_control_system()`,
    );
    expect(archive).toBe(archiveFolder(volume.dataDir, identifier?.id ?? '', Number(identifier?.major)));
    const name = await finishSegment();
    await archived(name);
    expect(existsSync(join(archive, `${name}.sha256`))).toBe(true);
    const { settings } = (await volume.run('database-status', ON)).result as DatabaseStatus;
    expect(settings.find((each) => each.name === 'archive_mode')).toMatchObject({
      value: 'on',
      source: 'tuned',
      reason: 'backups.point_in_time',
    });
  });

  test('its figures, those of the sessions and those of the backups can be measured', async () => {
    const { database, backups } = (await volume.run('measure', ON)).result as Measures;
    expect(database?.archive?.archived).toBeGreaterThan(0);
    expect(database?.archive?.lastAt).toBeGreaterThan(Date.now() / 1000 - 600);
    expect(database?.size).toBeGreaterThan(1e6);
    expect(database).toMatchObject({ waitingForLocks: 0, deadlocks: 0, sessions: { in_transaction: 0 } });
    expect(database?.blocksHit).toBeGreaterThan(database?.blocksRead ?? 0);
    expect(database?.mostSessions).toBeGreaterThan(10);
    expect(backups).toContainEqual({ kind: 'dump', verified: 0, unverified: 0, newest: undefined });
  });

  test('a clean stop archives the rest, and a conflict does not hold it up', async () => {
    const last = await finishSegment();
    await volume.stopServer();
    expect(existsSync(join(archive, last))).toBe(true);
    await volume.startServer(ON);
    const next = parseSegment(await finishSegment());
    if (!next) throw new Error('no name of a segment');
    const taken = segmentName({ ...next, number: next.number + 1n });
    await archived(segmentName(next));
    writeFileSync(join(archive, taken), 'of somebody else');
    await finishSegment();
    await volume.stopServer();
    expect(volume.serverLog).toContain(`cannot archive ${taken}: it is there already with another content`);
    // PostgreSQL's own answer to an exit of 1 is three tries, a second apart.
    expect(volume.serverLog.split(`cannot archive ${taken}`).length - 1).toBeLessThan(4);
    expect(readArchive(archive).segments.some(({ number }) => number > next.number)).toBe(false);
  });

  test('what it was off for is a declared gap, told at the next start and ended only by a base backup that is good', async () => {
    await volume.startServer();
    expect(await volume.admin('SHOW archive_mode')).toEqual([{ archive_mode: 'off' }]);
    expect(readOpenGap(archive)).toMatchObject({ reason: 'off' });
    await volume.stopServer();
    await volume.startServer(ON);
    expect(volume.serverLog).toContain('because point_in_time was off; the next base backup ends that');
    const passed = await finishSegment();
    const base = { ...ON, input: { what: 'base', level: 'files' } };
    const unreadable = join(volume.dataDir, 'pg', 'current', 'base', 'closed');
    writeFileSync(unreadable, '', { mode: 0 });
    expect((await volume.run('backup', base)).failure).toContain('Permission denied');
    expect(readOpenGap(archive)).toMatchObject({ reason: 'off' });
    rmSync(unreadable);
    expect((await volume.run('backup', base)).failure).toBeUndefined();
    expect(readOpenGap(archive)).toBeUndefined();
    expect(readGaps(archive).at(-1)).toMatchObject({ reason: 'off', until: expect.any(String) });
    const name = await finishSegment();
    await archived(name);
    expect(existsSync(join(archive, passed))).toBe(false);
  });

  test('what no base backup needs any more is removed, with its hashes and labels', () => {
    const { segments, segmentSize } = readArchive(archive);
    const newest = segments.reduce((most, { number }) => (number > most ? number : most), 0n);
    expect(segments.length).toBeGreaterThan(1);
    pruneArchive(archive, newest * BigInt(segmentSize) + 40n);
    const left = readdirSync(archive).filter((name) => /^[0-9A-F]{24}/.test(name));
    const kept = segmentName({ timeline: 1, number: newest });
    expect(left).toEqual(expect.arrayContaining([kept, `${kept}.sha256`]));
    expect(left.filter((name) => !name.startsWith(kept))).toEqual([]);
  });
});
