/**
 * kill -9 of PID 1 at random moments of a piece of work, on fresh volumes, in PID namespaces, without Docker:
 *
 *   npm run build && node bench/kill-harness.ts [--what first-boot] [--kills 200] [--seed 1] [--within MS] [--lanes 1]
 *
 * `naive-first-boot` is the shape most images have, beside it: it must not come out whole. Needs root and PostgreSQL.
 * Ends 1 where anything of ours was not whole.
 */
import { parseArgs } from 'node:util';
import { makeBackups } from '../test/support/backup-trial.ts';
import { makeBundleBoots } from '../test/support/bundle-trial.ts';
import { makeFirstBoots } from '../test/support/first-boot-trial.ts';
import { killAndLook, type Trial } from '../test/support/kill-harness.ts';
import { makeOperations } from '../test/support/operation-trial.ts';

/** What can be killed: fresh volumes, and what removes the ground they share. */
const WORKS: Readonly<Record<string, () => { prepare(): Promise<Trial>; remove(): Promise<void> | void }>> = {
  'first-boot': () => makeFirstBoots(),
  'naive-first-boot': () => {
    const { prepareNaive, remove } = makeFirstBoots();
    return { prepare: prepareNaive, remove };
  },
  bundle: () => makeBundleBoots(),
  'restore-base': () => makeOperations('restore-base'),
  'restore-dump': () => makeOperations('restore-dump'),
  return: () => makeOperations('return'),
  upgrade: () => makeOperations('upgrade'),
  // The server runs on outside; one at a time.
  backup: () => makeBackups('daily'),
  'base-backup': () => makeBackups('base'),
};

const { values } = parseArgs({
  options: {
    what: { type: 'string', default: 'first-boot' },
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    within: { type: 'string' },
    lanes: { type: 'string', default: '1' },
  },
});
const make = WORKS[values.what];
if (make === undefined) {
  throw new Error(`--what ${values.what}: there is only ${Object.keys(WORKS).join(', ')}`);
}
const { prepare, remove } = make();
let volumes = 0;
let broken = 0;
try {
  const report = await killAndLook({
    kills: Number(values.kills),
    seed: Number(values.seed),
    within: values.within === undefined ? undefined : Number(values.within),
    lanes: Number(values.lanes),
    prepare,
    onVolume: ({ kills, violations }) => {
      volumes += 1;
      if (violations.length > 0) broken += 1;
      const moments = kills
        .map(({ after, done }) => `${Math.round(after)}${done ? ' (done)' : ''}`)
        .join(', ');
      console.log(`${volumes}: killed after ${moments} ms: ${violations.join('; ') || 'whole'}`);
    },
  });
  console.log(
    `${values.what}: ${report.kills} kills (${report.early} before it was done) on ${report.volumes} volumes in ${report.runs} runs; an undisturbed one takes ${Math.round(report.undisturbed ?? 0)} ms`,
  );
  console.log(`volumes that are not whole: ${broken}`);
  process.exitCode = report.violations.length > 0 ? 1 : 0;
} finally {
  await remove();
}
