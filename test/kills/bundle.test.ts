import { afterAll, describe, expect, test } from 'vitest';
import { findBinaries, findTool } from '../../src/postgres/binaries.ts';
import { makeBundleBoots } from '../support/bundle-trial.ts';
import { killAndLook } from '../support/kill-harness.ts';

const isRoot = process.geteuid?.() === 0;
const hasTools = findTool(findBinaries({ libraryDir: '/tmp' }), 'pg_dump') !== undefined;

/** `bench/kill-harness.ts --what bundle` does the same with hundreds. */
describe.runIf(isRoot && hasTools)(
  'a first boot that finds a bundle, killed as PID 1 at random moments',
  () => {
    const boots = makeBundleBoots(20_000);
    afterAll(() => boots.remove());

    test('twenty kills leave volumes on which the next boot has all of it, once', async () => {
      const report = await killAndLook({ kills: 20, seed: 20_261_122, lanes: 2, prepare: boots.prepare });
      expect(report.violations).toEqual([]);
      expect(report.kills).toBe(20);
      // A seed whose kills all come too late would prove nothing.
      expect(report.early).toBeGreaterThan(4);
    }, 300_000);
  },
);
