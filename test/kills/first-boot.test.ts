import { afterAll, describe, expect, test } from 'vitest';
import { makeFirstBoots } from '../support/first-boot-trial.ts';
import { killAndLook } from '../support/kill-harness.ts';

const isRoot = process.geteuid?.() === 0;
const boots = makeFirstBoots(20_000);
afterAll(() => boots.remove());

/** `bench/kill-harness.ts` does the same with hundreds. */
describe.runIf(isRoot)('a first boot that imports, killed as PID 1 at random moments', () => {
  test('case 1: twenty kills leave volumes on which the next boot has one whole import', async () => {
    const report = await killAndLook({ kills: 20, seed: 20_261_121, lanes: 2, prepare: boots.prepare });
    expect(report.violations).toEqual([]);
    expect(report.kills).toBe(20);
    // A seed whose kills all come too late would prove nothing.
    expect(report.early).toBeGreaterThan(4);
  });

  test('a boot that believes in files is not whole after as few, which shows that the harness sees it', async () => {
    // Kills that come while initdb works: there its PG_VERSION is a lie.
    const options = { within: 600, seed: 1, lanes: 2 };
    const report = await killAndLook({ ...options, kills: 16, prepare: boots.prepareNaive });
    expect(report.violations.length).toBeGreaterThan(0);
  });
});
