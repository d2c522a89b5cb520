/**
 * What tier full costs when nothing happens, beside core: both images run side by side, and after a while to settle both
 * are measured over the same time, in which the check every five minutes runs once. Then once more while the metrics of
 * full are scraped every 15 s, as by a Prometheus.
 *
 *   node bench/tier-cost.ts [--settle=90] [--seconds=300] [--scraped=120]
 *
 * Needs Docker, root and the images of `npm run test:image`.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Container,
  docker,
  FULL_IMAGE,
  IMAGE,
  makeVolume,
  runContainer,
} from '../test/image/container.ts';
import { TOKEN } from '../test/image/jobs.ts';
import { listNamespace } from './memory.ts';
import { readOption } from './samples.ts';
import { pidOne } from './subjects.ts';

const SCRAPE_MS = 15_000;
const MB = 1024;
const settle = readOption('settle', 90);
const seconds = readOption('seconds', 300);
const scraped = readOption('scraped', 120);

interface Subject {
  readonly tier: string;
  readonly container: Container;
  readonly volume: string;
  readonly pid: number;
}

interface Process {
  readonly name: string;
  /** kB */
  readonly pss: number;
  readonly privateBytes: number;
  readonly privateDirty: number;
}

const subjects = await Promise.all([begin('core', IMAGE), begin('full', FULL_IMAGE)]);
try {
  const [core, full] = subjects;
  if (!core || !full) throw new Error('there are two');
  for (const { container } of subjects) await container.ready();
  await sleep(settle * 1000);
  await measure('idle', seconds);
  if (scraped > 0) {
    const stop = scrapeSteadily(full.container);
    await sleep(SCRAPE_MS);
    await measure('scraped', scraped);
    console.log(`${await stop()} scrapes`);
  }
} finally {
  for (const { container, volume } of subjects) {
    await container.remove();
    await docker(['volume', 'rm', '-f', volume]);
  }
}

/** Both over the same time. */
async function measure(what: string, seconds: number): Promise<void> {
  const before = subjects.map(({ pid }) => cpuOf(pid));
  const timesBefore = subjects.map(({ pid }) => timesOf(pid));
  const began = performance.now();
  await sleep(seconds * 1000);
  const took = performance.now() - began;
  const shares = subjects.map(({ pid }, index) => (100 * (cpuOf(pid) - (before[index] ?? 0))) / took);
  const memories = subjects.map(({ pid }) => listNamespace(pid).map(readProcess));
  for (const [index, { tier, pid }] of subjects.entries()) {
    const processes = memories[index] ?? [];
    console.log(
      `${what}, ${tier}: ${shares[index]?.toFixed(2)} % of a core over ${(took / 1000).toFixed()} s; ${describe(sum(processes))}, ${processes.length} processes`,
    );
    for (const each of processes.toSorted((a, b) => b.privateBytes - a.privateBytes).slice(0, 8))
      console.log(`  ${each.name.padEnd(28)} ${describe(each)}`);
    console.log(`  % of a core: ${spentBy(pid, timesBefore[index] ?? new Map(), took)}`);
  }
  const [less, more] = memories.map(sum);
  if (!less || !more) return;
  const by = {
    pss: more.pss - less.pss,
    privateBytes: more.privateBytes - less.privateBytes,
    privateDirty: more.privateDirty - less.privateDirty,
  };
  console.log(
    `${what}: full costs ${((shares[1] ?? 0) - (shares[0] ?? 0)).toFixed(2)} % of a core more, ${describe(by)} more`,
  );
}

async function begin(tier: string, image: string): Promise<Subject> {
  const volume = await makeVolume();
  const container = await runContainer({ image, volume, env: { BULKHEAD_TOKEN: TOKEN } });
  return { tier, container, volume, pid: await pidOne(container.name) };
}

/** Stops when it is called; how many there were. */
function scrapeSteadily({ ports }: Container): () => Promise<number> {
  let [scrapes, isOver] = [0, false];
  const run = async (): Promise<void> => {
    while (!isOver) {
      const headers = { authorization: `Bearer ${TOKEN}`, accept: 'application/openmetrics-text' };
      const response = await fetch(`http://127.0.0.1:${ports.api}/metrics`, { headers });
      if (!response.ok) throw new Error(`/metrics answers ${response.status}`);
      await response.text();
      scrapes += 1;
      await sleep(SCRAPE_MS);
    }
  };
  const running = run();
  running.catch((error: unknown) => console.error(error));
  return async () => {
    isOver = true;
    await running;
    return scrapes;
  };
}

/** ms of all that ever ran in the container of this process; version 1 and 2 of control groups. */
function cpuOf(pid: number): number {
  const groups = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  const old = /^\d+:(?:\S*,)?(cpuacct|cpu,cpuacct|cpuacct,cpu)(?:,\S*)?:(\S+)$/m.exec(groups);
  if (old) return Number(readFileSync(`/sys/fs/cgroup/cpuacct${old[2]}/cpuacct.usage`, 'utf8')) / 1e6;
  const [, path = ''] = /^0::(\S+)$/m.exec(groups) ?? [];
  return (
    Number(/^usage_usec (\d+)/m.exec(readFileSync(`/sys/fs/cgroup${path}/cpu.stat`, 'utf8'))?.[1]) / 1000
  );
}

/** Of each process its own time and that of its children that have ended, ms. */
function timesOf(pid: number): ReadonlyMap<number, readonly [number, number]> {
  return new Map(
    listNamespace(pid).map((each) => {
      const fields = readFileSync(`/proc/${each}/stat`, 'latin1')
        .replace(/^.*\) /, '')
        .split(' ')
        .map(Number);
      const sum = (from: number) => 10 * ((fields[from] ?? 0) + (fields[from + 1] ?? 0));
      return [each, [sum(11), sum(13)]] as const;
    }),
  );
}

/** Who used how much since then, the most first; what PID 1 has waited for are its programs and probes. */
function spentBy(pid: number, before: ReturnType<typeof timesOf>, took: number): string {
  const share = (ms: number) => (100 * ms) / took;
  const rows = [...timesOf(pid)].flatMap(([each, [own, children]]) => {
    const [ownBefore = 0, childrenBefore = 0] = before.get(each) ?? [];
    const { name } = readProcess(each);
    return [
      { name, part: share(own - ownBefore) },
      { name: `ended children of ${name}`, part: share(children - childrenBefore) },
    ];
  });
  return rows
    .filter(({ part }) => part >= 0.02)
    .toSorted((a, b) => b.part - a.part)
    .map(({ name, part }) => `${name} ${part.toFixed(2)}`)
    .join(' · ');
}

function readProcess(pid: number): Process {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  return {
    name: argv.replace(/^\S*node .*main\.js /, 'bulkhead ').slice(0, 28),
    pss: field('Pss'),
    privateBytes: field('Private_Clean') + field('Private_Dirty'),
    privateDirty: field('Private_Dirty'),
  };
}

function sum(processes: readonly Process[]): Process {
  const of = (field: 'pss' | 'privateBytes' | 'privateDirty') =>
    processes.reduce((total, each) => total + each[field], 0);
  return { name: '', pss: of('pss'), privateBytes: of('privateBytes'), privateDirty: of('privateDirty') };
}

function describe({ pss, privateBytes, privateDirty }: Omit<Process, 'name'>): string {
  const mb = (kb: number) => (kb / MB).toFixed(1);
  return `PSS ${mb(pss)} MB, private ${mb(privateBytes)} MB (dirty ${mb(privateDirty)})`;
}
