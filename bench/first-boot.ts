/**
 * From `docker run` on an empty volume to an app that answers with every row, then the same on the warm volume, its
 * memory when idle and its stop: Bulkhead beside two containers of what users have today, in alternation.
 *
 *   node bench/first-boot.ts [--runs=5]
 *
 * Needs Docker and the image under test (`npm run test:image`), and root to read the memory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../test/image/container.ts';
import { listNamespace, readMemory } from './memory.ts';
import { describeSpread, readOption, spreadOf } from './samples.ts';
import {
  buildRivals,
  imageOf,
  isUp,
  mustDocker,
  pidOne,
  prepare,
  remove,
  run,
  SUBJECTS,
  type Subject,
} from './subjects.ts';

interface Sample {
  readonly first: number;
  readonly warm: number;
  readonly stop: number;
  readonly pss: number;
  readonly pidOnePss: number;
  readonly pidOneDirty: number;
  readonly processes: number;
}

const runs = readOption('runs', 5);
await buildRivals();
const samples: Record<Subject, Sample[]> = { bulkhead: [], owner: [], careful: [] };
for (let round = 1; round <= runs; round++) {
  for (const subject of SUBJECTS) {
    const sample = await measure(subject);
    samples[subject].push(sample);
    const { first, warm, stop } = sample;
    console.log(
      `${round} ${subject}: first ${first.toFixed()} ms, warm ${warm.toFixed()}, stop ${stop.toFixed()}`,
    );
  }
}
await report();

async function measure(subject: Subject): Promise<Sample> {
  const boot = await prepare();
  const untilUp = async (start: () => Promise<unknown>): Promise<number> => {
    const from = performance.now();
    await start();
    await waitFor(`${subject} to answer`, () => isUp(subject, boot.ports));
    return performance.now() - from;
  };
  try {
    const first = await untilUp(() => run(subject, boot));
    const stopped = performance.now();
    await mustDocker(['stop', boot.name]);
    const stop = performance.now() - stopped;
    const warm = await untilUp(() => mustDocker(['start', boot.name]));
    await sleep(10_000);
    const one = await pidOne(boot.name);
    const memories = listNamespace(one).map(readMemory);
    const own = readMemory(one);
    return {
      first,
      warm,
      stop,
      pss: memories.reduce((sum, { pss }) => sum + pss, 0),
      pidOnePss: own.pss,
      pidOneDirty: own.privateDirty,
      processes: memories.length,
    };
  } catch (error) {
    console.error((await mustDocker(['logs', '--tail', '40', boot.name]).catch(String)).toString());
    throw error;
  } finally {
    await remove(boot);
  }
}

async function report(): Promise<void> {
  const rows = SUBJECTS.map(async (subject) => {
    const of = (field: keyof Sample) => samples[subject].map((sample) => sample[field]);
    const bytes = Number(await mustDocker(['image', 'inspect', '-f', '{{.Size}}', imageOf(subject)]));
    return [
      subject,
      {
        'first boot, s': describeSpread(of('first'), 1000, 2),
        'warm boot, s': describeSpread(of('warm'), 1000, 2),
        'stop, s': describeSpread(of('stop'), 1000, 2),
        'PSS of all, MB': describeSpread(of('pss'), 1024, 0),
        'PSS of PID 1, MB': describeSpread(of('pidOnePss'), 1024, 1),
        'private dirty of PID 1, MB': describeSpread(of('pidOneDirty'), 1024, 1),
        processes: spreadOf(of('processes')).median,
        'image, MB': Math.round(bytes / 1e6),
      },
    ] as const;
  });
  const table = Object.fromEntries(await Promise.all(rows));
  for (const measured of Object.keys(table.bulkhead ?? {})) {
    const line = SUBJECTS.map((subject) => `${subject} ${Reflect.get(table[subject] ?? {}, measured)}`);
    console.log(`${measured}: ${line.join(' · ')}`);
  }
  for (const field of ['first', 'warm', 'stop'] as const) {
    const median = (subject: Subject) => spreadOf(samples[subject].map((sample) => sample[field])).median;
    const ratio = (subject: Subject) => (median(subject) / median('bulkhead')).toFixed(2);
    console.log(`${field}: owner takes ${ratio('owner')} × Bulkhead, careful ${ratio('careful')} ×`);
  }
}
