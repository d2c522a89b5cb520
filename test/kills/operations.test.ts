import { afterAll, describe, expect, test } from 'vitest';
import { findInstallations, findTool } from '../../src/postgres/binaries.ts';
import { killAndLook } from '../support/kill-harness.ts';
import { makeOperations } from '../support/operation-trial.ts';

const isRoot = process.geteuid?.() === 0;
const installations = findInstallations('/tmp');
const hasClients = findTool(
  installations.at(-1) ?? { bin: '', major: 0, embedded: false, env: {} },
  'pg_basebackup',
);
const hasTwo = new Set(installations.map(({ major }) => major)).size > 1;

/** `bench/kill-harness.ts` does the same with hundreds, and with dumps. */
describe.runIf(isRoot && hasClients !== undefined)('killed as PID 1 at random moments', () => {
  const restores = makeOperations('restore-base', 5000);
  const returns = makeOperations('return', 5000);
  const upgrades = makeOperations('upgrade', 5000);
  afterAll(() => {
    restores.remove();
    returns.remove();
    upgrades.remove();
  });

  test('a restore of the whole cluster leaves the old one or the new one, and a boot serves it', async () => {
    const report = await killAndLook({
      kills: 8,
      seed: 3,
      within: 1500,
      lanes: 2,
      prepare: restores.prepare,
    });
    expect(report.violations).toEqual([]);
    expect(report.kills).toBeGreaterThan(3);
  }, 240_000);

  test('a return to a moment leaves the cluster in use or the one of that moment', async () => {
    const report = await killAndLook({ kills: 8, seed: 7, within: 1500, lanes: 2, prepare: returns.prepare });
    expect(report.violations).toEqual([]);
    // On a quick machine some of them are done before their kill comes.
    expect(report.kills).toBeGreaterThan(3);
  }, 240_000);

  test.runIf(hasTwo)(
    'case 20: so does an upgrade, with every row it had',
    async () => {
      const report = await killAndLook({
        kills: 8,
        seed: 5,
        within: 3000,
        lanes: 2,
        prepare: upgrades.prepare,
      });
      expect(report.violations).toEqual([]);
      expect(report.kills).toBeGreaterThan(3);
    },
    240_000,
  );
});
