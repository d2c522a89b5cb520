import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prepareBackup } from '../support/backup-trial.ts';
import { killAndLook } from '../support/kill-harness.ts';
import type { TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

const isRoot = process.geteuid?.() === 0;
let volume: TestVolume;

beforeAll(async () => {
  volume = await makeVolume();
  expect((await volume.boot()).failure).toBeUndefined();
  await volume.query(
    `CREATE TABLE words AS SELECT n AS id, md5(n::text) AS word FROM generate_series(1, 30000) n`,
  );
});
afterAll(() => volume.remove());

/** `bench/kill-harness.ts` does the same with hundreds. */
describe.runIf(isRoot)('a backup killed at random moments', () => {
  test('case 23: twenty kills leave whole backups, the old ones and nothing else, and the next run is well', {
    timeout: 300_000,
  }, async () => {
    const report = await killAndLook({
      kills: 20,
      seed: 20_261_121,
      prepare: () => prepareBackup(volume, 'daily'),
    });
    expect(report.violations).toEqual([]);
    expect(report.kills).toBe(20);
    // A seed whose kills all come too late would prove nothing.
    expect(report.early).toBeGreaterThan(10);
  });
});
