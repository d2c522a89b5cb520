/**
 * Bulkhead beside its peers, in one run: `npm run bench`.
 *   --only start,confined,crash,idle,logs,orphans,status   these measures alone
 *   --peers bulkhead,floor                        these peers alone
 *   --counts 1,10,100,1000                        how many children
 *   --quick                                       small and short, to try the bench itself
 * A whole run writes docs/benchmarks.md; a part of one only prints.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildChildren } from './children.ts';
import { confined } from './measures/confined.ts';
import { crash } from './measures/crash.ts';
import { idle } from './measures/idle.ts';
import { logs } from './measures/logs.ts';
import type { Figure, Measure } from './measures/measure.ts';
import { orphans } from './measures/orphans.ts';
import { start } from './measures/start.ts';
import { status } from './measures/status.ts';
import { bulkhead } from './peers/bulkhead.ts';
import { bareFloor, floor } from './peers/floor.ts';
import type { Peer } from './peers/peer.ts';
import { pm2 } from './peers/pm2.ts';
import { runit } from './peers/runit.ts';
import { s6 } from './peers/s6.ts';
import { supervisord } from './peers/supervisord.ts';
import { renderReport } from './report.ts';

const PEERS: readonly Peer[] = [bulkhead, floor, bareFloor, s6, runit, supervisord, pm2];
const MEASURES: readonly Measure[] = [start, confined, crash, idle, logs, orphans, status];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    peers: { type: 'string' },
    counts: { type: 'string', default: '1,10,100,1000' },
    quick: { type: 'boolean', default: false },
  },
});

const folder = join('/dev/shm', `bulkhead-bench-${process.pid}`);
const whole = values.only === undefined && values.peers === undefined && !values.quick;
const peers = pick(PEERS, values.peers).filter((peer) => {
  if (peer.version() !== undefined) return true;
  say(`${peer.name} is not installed: left out`);
  return false;
});
const began = performance.now();
let failed = false;
try {
  const children = buildChildren(join(folder, 'children'));
  const results: { readonly measure: Measure; readonly figures: readonly Figure[] }[] = [];
  for (const measure of pick(MEASURES, values.only)) {
    say(`— ${measure.title}`);
    const counts = values.counts.split(',').map(Number);
    try {
      const figures = await measure.run({ peers, children, counts, quick: values.quick, say });
      results.push({ measure, figures });
    } catch (error) {
      // The other figures took minutes too.
      failed = true;
      say(`${measure.name} failed: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  const report = renderReport(peers, results, (performance.now() - began) / 60_000);
  process.stdout.write(`\n${report}`);
  if (whole) writeFileSync(join(import.meta.dirname, '..', 'docs', 'benchmarks.md'), report);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

function pick<T extends { readonly name: string }>(
  all: readonly T[],
  names: string | undefined,
): readonly T[] {
  if (names === undefined) return all;
  return names.split(',').map((name) => {
    const found = all.find((each) => each.name === name);
    if (found) return found;
    throw new Error(`there is no ${name}; there is ${all.map((each) => each.name).join(', ')}`);
  });
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
