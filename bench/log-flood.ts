/**
 * A service that writes 100 MB of lines a second for a minute, in the image full: whether every line is in the files
 * afterwards, also in those that the next day has compressed, what it does to the memory of PID 1 and to the app beside
 * it. Then as much with the cap in force: what goes, and what is said.
 *
 *   node bench/log-flood.ts [--rate=100] [--seconds=60] [--chunk=4080] [--driver=json-file|local|none]
 *     [--part=whole|cap|both] [--requests=50] [--compress=no] [--dist=FOLDER, a build instead of the image's own]
 *     [--cgroup=/NAME, made before, for the container: with a weight of its own others hardly disturb it]
 *
 * Needs Docker, root, a C compiler, 10 GB of disk and the image `bulkhead:full-test` (BULKHEAD_TEST_FULL_IMAGE names
 * another).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { readEnd } from '../src/system/read-end.ts';
import {
  type Container,
  docker,
  FULL_IMAGE,
  makeVolume,
  runContainer,
  waitFor,
} from '../test/image/container.ts';
import { TOKEN } from '../test/image/jobs.ts';
import { buildChildren, type Children } from './children.ts';
import { setClock, settableClock } from './faults/clock.ts';
import { readMemory } from './memory.ts';
import { watchProcessors } from './processor-time.ts';
import { percentileOf, readOption } from './samples.ts';
import { askSteadily, type Requests } from './steady-requests.ts';
import { mustDocker, pidOne } from './subjects.ts';

const LINE = 120;
const DAY_S = 86_400;
const MB = 1e6;
const PATHS = ['/', '/?q=video', '/api/tools?q=chat', '/?page=3', '/api/tools', '/api/health'];
const rate = readOption('rate', 100) * MB;
const seconds = readOption('seconds', 60);
const chunk = readOption('chunk', 34 * LINE);
const requests = readOption('requests', 50);
const driver = textOption('driver', 'json-file');
const part = textOption('part', 'both');
const isCompressed = textOption('compress', 'yes') === 'yes';
const dist = textOption('dist', '');
const cgroup = textOption('cgroup', '');

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-flood-'));
const children = buildChildren(join(folder, 'children'));
try {
  if (part !== 'cap') await flood('whole', '20g');
  if (part !== 'whole') await flood('cap', '1g');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function flood(what: 'whole' | 'cap', cap: string): Promise<void> {
  const lasting = what === 'whole' ? seconds : seconds / 2;
  const lines = Math.floor((rate * lasting) / LINE);
  const own = join(folder, what);
  const volume = await makeVolume();
  const container = await start(own, children, volume, cap, lines);
  try {
    await container.ready();
    const path = join(await mustDocker(['volume', 'inspect', '-f', '{{.Mountpoint}}', volume]), 'logs');
    const one = await pidOne(container.name);
    const load = (lasts: number) =>
      askSteadily(container.ports.app, PATHS, { perSecond: requests, seconds: lasts });
    // The first visitors load the routes; that is no answer to the question.
    await load(5);
    const alone = await load(15);
    const memory = watchMemory(one);
    const sizes = watchSize(path);
    const processors = watchProcessors(one);
    await container.exec(['touch', '/data/go']);
    const began = performance.now();
    const together = await load(lasting);
    const spent = processors();
    const passed = (performance.now() - began) / 1000;
    const [from, to] = await writerTimes(own);
    await waitFor('the last line', async () => isLastThere(path), container, 120_000);
    const { text: metrics } = await scrape(container);
    const took = to - from;
    console.log(`\n${what}: cap ${cap}, log driver ${driver}, ${chunk} bytes a write`);
    console.log(
      `  ${lines} lines of ${LINE} bytes in ${took.toFixed(1)} s: ${((lines * LINE) / MB / took).toFixed(1)} MB/s`,
    );
    for (const [when, measured] of Object.entries({ before: alone, meanwhile: together }))
      tell(when, measured);
    console.log(`  PID 1: ${memory()}`);
    const shares = spent.map(([name, each]) => `${name} ${((100 * each) / passed).toFixed(0)}`);
    console.log(`  percent of a processor: ${shares.slice(0, 10).join(', ')}`);
    console.log(`  files: at most ${(sizes() / MB).toFixed()} MB`);
    for (const name of [
      'bulkhead_log_lines_total{service="flood"',
      'bulkhead_log_dropped_total{service="flood"',
      'bulkhead_log_hidden_total{service="flood"',
      'bulkhead_log_held_seconds_total{service="flood"',
      'bulkhead_log_output_dropped_total',
    ])
      console.log(`  ${metrics.split('\n').find((line) => line.startsWith(name)) ?? `${name}: not there`}`);
    if (what === 'whole' && isCompressed) await compress(container, own, path);
    const files = readdirSync(path).filter((name) => name.startsWith('flood-'));
    const kept = count(lines, path, files);
    const gz = files.filter((name) => name.endsWith('.gz')).length;
    console.log(
      `  kept: ${kept} lines in ${files.length} files (${gz} compressed), ${lines - kept} not there`,
    );
    for (const [text, times] of saidIn(path)) console.log(`  said ${times} times: ${text}`);
    console.log(
      `  alerts: ${(await container.exec(['bulkhead', 'alerts', 'list'])).stdout.trim().replaceAll('\n', ' ⏎ ')}`,
    );
  } finally {
    await container.remove();
    await docker(['volume', 'rm', '-f', volume]);
  }
}

/** Of PID 1's own lines those about logs, each with how often it said the like, the first as it stands. */
function saidIn(path: string): ReadonlyMap<string, number> {
  const lines = readdirSync(path)
    .filter((name) => name.startsWith('bulkhead-'))
    .toSorted()
    .map((name) => readFileSync(join(path, name)))
    .flatMap((bytes) => (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString().split('\n'))
    .filter((line) => / deleted: |standard output|processor time/.test(line));
  const kinds = Map.groupBy(lines, (line) =>
    line
      .replace(/^\S+ /, '')
      .replaceAll(/\d+/g, '#')
      .replaceAll(/[\d#.]+ [KMG]B/g, '#'),
  );
  return new Map([...kinds.values()].map((alike) => [alike[0] ?? '', alike.length]));
}

/** It begins to write when /data/go is there. */
async function start(
  own: string,
  { writer }: Children,
  volume: string,
  cap: string,
  lines: number,
): Promise<Container> {
  mkdirSync(join(own, 'stamps'), { recursive: true });
  writeFileSync(join(own, 'stamps', 'times'), '', { mode: 0o666 });
  const argv = ['/bench/writer', '/stamps/times', lines * LINE, chunk, rate].join(' ');
  writeFileSync(
    join(own, 'plan.yaml'),
    `version: 1
extends: /etc/bulkhead/full.yaml
logs: { max_total: ${cap} }
services:
  flood:
    command: [bash, -c, "until rm /data/go 2>/dev/null; do sleep 0.2; done; exec ${argv}"]
    user: root
    critical: false
`,
  );
  return runContainer({
    image: FULL_IMAGE,
    volume,
    env: { BULKHEAD_TOKEN: TOKEN, BULKHEAD_CONFIG: '/etc/flood/plan.yaml' },
    args: [
      ...[
        '--log-driver',
        driver,
        ...(driver === 'json-file' ? ['--log-opt', 'max-size=10m', '--log-opt', 'max-file=3'] : []),
      ],
      ...(cgroup === '' ? [] : ['--cgroup-parent', cgroup]),
      ...['--volume', `${join(own, 'plan.yaml')}:/etc/flood/plan.yaml:ro`],
      ...['--volume', `${join(own, 'stamps')}:/stamps`],
      ...['--volume', `${writer}:/bench/writer:ro`],
      ...(dist === '' ? [] : ['--volume', `${dist}:/opt/bulkhead/dist:ro`]),
      ...settableClock(own),
    ],
  });
}

/** The next day has come while the container was down. */
async function compress(container: Container, own: string, path: string): Promise<void> {
  await mustDocker(['stop', '-t', '30', container.name]);
  setClock(own, DAY_S);
  const began = performance.now();
  await container.start();
  const today = new Date(Date.now()).toISOString().slice(0, 10);
  await waitFor(
    'the files of the day before to be compressed',
    async () =>
      readdirSync(path).every((name) => !(name.startsWith(`flood-${today}`) && name.endsWith('.log'))),
    container,
    600_000,
  );
  console.log(`  compressed ${((performance.now() - began) / 1000).toFixed()} s after the next day's start`);
}

function count(lines: number, path: string, files: readonly string[]): number {
  const quoted = files.map((name) =>
    name.endsWith('.gz') ? `<(zcat ${join(path, name)})` : join(path, name),
  );
  return Number(
    execFileSync('bash', ['-c', `${children.count} ${lines} ${quoted.join(' ')}`], { encoding: 'utf8' }),
  );
}

function isLastThere(path: string): boolean {
  const files = readdirSync(path).filter((name) => name.startsWith('flood-') && name.endsWith('.log'));
  const newest = files.toSorted(
    (a, b) => statSync(join(path, b)).mtimeMs - statSync(join(path, a)).mtimeMs,
  )[0];
  return newest !== undefined && readEnd(join(path, newest), 64)?.includes('#END') === true;
}

/** When the writer began and when its last write returned, s. */
async function writerTimes(own: string): Promise<readonly [number, number]> {
  const file = join(own, 'stamps', 'times');
  await waitFor('the writer', async () => statSync(file).size >= 32, undefined, 300_000);
  const bytes = readFileSync(file);
  return [Number(bytes.readBigUInt64LE(0)) / 1e9, Number(bytes.readBigUInt64LE(16)) / 1e9];
}

function watchMemory(pid: number): () => string {
  const samples: { readonly pss: number; readonly privateDirty: number }[] = [readMemory(pid)];
  const timer = setInterval(() => samples.push(readMemory(pid)), 1000);
  return () => {
    clearInterval(timer);
    const mb = (kb: number) => (kb / 1024).toFixed(1);
    const quarter = Math.ceil(samples.length / 4);
    const most = (from: number, to: number) =>
      mb(Math.max(...samples.slice(from, to).map(({ privateDirty }) => privateDirty)));
    const spans = [0, 1, 2, 3].map((n) => most(n * quarter, (n + 1) * quarter));
    return `private dirty ${mb(samples[0]?.privateDirty ?? 0)} MB before, at most ${spans.join(', ')} in each quarter; PSS at most ${mb(Math.max(...samples.map(({ pss }) => pss)))}`;
  };
}

function watchSize(path: string): () => number {
  let most = 0;
  const look = (): void => {
    const sizes = readdirSync(path).map(
      (name) => statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0,
    );
    most = Math.max(
      most,
      sizes.reduce((sum, size) => sum + size, 0),
    );
  };
  const timer = setInterval(look, 500);
  return () => {
    clearInterval(timer);
    return most;
  };
}

async function scrape({ ports }: Container): Promise<{ text: string }> {
  await sleep(1500);
  const headers = { authorization: `Bearer ${TOKEN}` };
  return { text: await (await fetch(`http://127.0.0.1:${ports.api}/metrics`, { headers })).text() };
}

function tell(when: string, { sent, failed, latencies }: Requests): void {
  const spread = [50, 95, 99, 100].map((p) => `p${p} ${percentileOf(latencies, p)?.toFixed(1) ?? '–'} ms`);
  const sum = [...failed.values()].reduce((total, each) => total + each, 0);
  const fifth = Math.ceil(latencies.length / 5);
  const parts = [0, 1, 2, 3, 4].map((part) =>
    percentileOf(latencies.slice(part * fifth, (part + 1) * fifth), 95)?.toFixed(),
  );
  console.log(
    `  app ${when}: ${sent} requests, ${sum} failed; ${spread.join(', ')}; p95 of each fifth ${parts.join(', ')}`,
  );
}

function textOption(name: string, otherwise: string): string {
  const prefix = `--${name}=`;
  return process.argv.find((argument) => argument.startsWith(prefix))?.slice(prefix.length) ?? otherwise;
}
