import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readShelf } from '../../src/backups/shelf.ts';
import type { BackupRunResult } from '../../src/protocol/backups.ts';
import { isProven } from '../../src/protocol/backups.ts';
import { makeEmptyVolume, type TestVolume } from '../support/postgres.ts';

const DAY = 86_400_000;
let volume: TestVolume;
let shift: string;

beforeAll(async () => {
  volume = await makeEmptyVolume();
  expect((await volume.boot()).failure).toBeUndefined();
  await volume.query(
    'CREATE TABLE words AS SELECT n AS id, md5(n::text) AS word FROM generate_series(1, 100) n',
  );
  // Where the database's user may read it.
  shift = join(volume.root, 'shifted-date.mjs');
  copyFileSync(join(import.meta.dirname, '..', '..', 'bench', 'shifted-date.mjs'), shift);
});
afterAll(() => volume.remove());

test('case 24: real backups under a clock that is ahead for two days, then right, then behind: the newest proven stay', async () => {
  const made: string[] = [];
  const backup = async (day: number): Promise<BackupRunResult> => {
    const { failure, result } = await volume.run('backup', {
      input: { what: 'daily', level: 'readable' },
      backups: { keep: { days: 2, weekly: 2, monthly: 1, verified: 2 }, assets: [], config: [] },
      env: { NODE_OPTIONS: `--import=${shift}`, SHIFT_DATE_MS: String(day * DAY) },
    });
    expect(failure).toBeUndefined();
    const run = result as BackupRunResult;
    made.push(run.made[0]?.backup.id ?? '');
    const shelf = readShelf(join(volume.dataDir, 'backups'), ['dump']);
    const proven = shelf.filter(({ verified }) => isProven(verified)).map(({ id }) => id);
    for (const id of made.slice(-2)) expect(proven).toContain(id);
    return run;
  };
  const held = ({ pruned }: BackupRunResult): string =>
    pruned.held.filter((why) => why.startsWith('dump')).join();

  for (const day of [0, 1, 2, 3]) await backup(day);
  // A gap like no other: nothing goes until it is known to be none.
  for (const day of [404, 405]) expect(held(await backup(day))).toMatch(/since a gap of 40\d d/);
  // The two are of the future now.
  for (const day of [6, 7]) expect(held(await backup(day))).toContain('the clock went back');
  expect(held(await backup(8))).toBe('');
  await backup(9);
  const ids = readShelf(join(volume.dataDir, 'backups'), ['dump']).map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining([...made.slice(4, 6), ...made.slice(-2)]));
  expect(made.filter((id) => !ids.includes(id)).length).toBeGreaterThan(1);
  expect(held(await backup(5))).toContain('the clock went back');
});
