import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { examineData } from '../../src/database/examine-data.ts';
import { takeLock } from '../../src/system/lock.ts';
import type { TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

let volume: TestVolume;
beforeEach(async () => {
  volume = await makeVolume();
  await volume.run('cluster');
});
afterEach(() => volume.remove());

const data = (...parts: string[]): string => join(volume.dataDir, ...parts);

/** `level check: fact`, and that nothing was changed by asking. */
function examine(): string[] {
  const before = readdirSync(volume.dataDir, { recursive: true }).sort();
  const found = examineData(volume.dataDir, volume.runDir, false);
  expect(readdirSync(volume.dataDir, { recursive: true }).sort()).toEqual(before);
  for (const { level, remedy, fact } of found) if (level !== 'ok') expect(remedy, fact).toBeTypeOf('string');
  return found.map(({ level, check, fact }) => `${level} ${check}: ${fact}`);
}

test('a volume in order has nothing to mend', () => {
  const found = examine();
  expect(found.filter((line) => !line.startsWith('ok '))).toEqual([]);
  expect(found.join('\n')).toMatch(/ok cluster: PostgreSQL \d+ in .*main, whole, shut down/);
});

test('who holds the folder of clusters is told, in this container or another', () => {
  expect(examine().join('\n')).not.toContain('lock: ');
  const lock = takeLock(data('pg', 'lock'));
  try {
    expect(examine().join('\n')).toMatch(
      new RegExp(
        `warn lock: \\S+ is in use by another supervisor, pid ${process.pid} where it runs, since \\d{4}-`,
      ),
    );
    expect(examineData(volume.dataDir, volume.runDir, true)).toContainEqual(
      expect.objectContaining({ check: 'lock', level: 'ok' }),
    );
  } finally {
    lock?.release();
  }
  expect(examine().join('\n')).not.toContain('lock: ');
});

test('each leftover and each open secret is told with what becomes of it', () => {
  writeFileSync(data('pg', 'current', 'postmaster.pid'), '7\n');
  mkdirSync(data('pg', '.stage-init-0'));
  writeFileSync(data('pg', 'unclean-stops.json'), '{"count":3,"lastAt":"2026-01-01T00:00:00.000Z"}');
  chmodSync(data('secrets', 'app_password'), 0o644);
  rmSync(data('pg', 'current'));
  const found = examine().join('\n');
  expect(found).toContain('warn cluster: ');
  expect(found).toContain('was left by a server that was killed');
  expect(found).toContain('.stage-init-0 in');
  expect(found).toContain('warn stops: 3 unclean stops');
  expect(found).toContain(`warn secrets: open to others: ${data('secrets', 'app_password')}`);
  expect(found).toContain('warn pointer: ');
});

test('a lost cluster is told with every witness, a broken one with what it lacks', () => {
  const major = readdirSync(data('pg')).find((name) => /^\d+$/.test(name)) ?? '';
  rmSync(data('pg', major, 'main', 'global', 'pg_control'));
  expect(examine().join('\n')).toContain('global/pg_control is missing, so it is not whole');
  rmSync(data('pg', major), { recursive: true });
  mkdirSync(data('backups', 'dump', 'one'), { recursive: true });
  writeFileSync(data('backups', 'dump', 'one', 'manifest.json'), '{}');
  const found = examine().filter((line) => line.startsWith('fail cluster'));
  expect(found.join('\n')).toMatch(
    /a backup of a database lies.*this volume has had one since.*current points to/s,
  );
  expect(existsSync(data('pg', major))).toBe(false);
});
