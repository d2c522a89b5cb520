import { afterAll, describe, expect, test } from 'vitest';
import { makeBackups } from '../support/backup-trial.ts';
import { killAndLook } from '../support/kill-harness.ts';

const isRoot = process.geteuid?.() === 0;
const { prepare, remove } = makeBackups('daily');
afterAll(remove);

/** `bench/kill-harness.ts` does the same with hundreds. */
describe.runIf(isRoot)('a backup killed at random moments', () => {
  test('case 23: twenty kills leave whole backups, the old ones and nothing else, and the next run is well', {
    timeout: 300_000,
  }, async () => {
    const report = await killAndLook({ kills: 20, seed: 20_261_121, prepare });
    expect(report.violations).toEqual([]);
    // The first run is the slowest, so some kills come too late; all of them would prove nothing.
    expect(report.early).toBeGreaterThan(4);
  });
});
