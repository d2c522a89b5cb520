/**
 * Two thousand restarts and a gigabyte of logs through one supervisor; prints what it holds as it goes and how steep
 * it grows at the end. Run by hand: `node bench/soak.mjs [restarts] [megabytes]`, after `npm run build`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const restarts = Number(process.argv[2] ?? 2000);
const megabytes = Number(process.argv[3] ?? 1024);
const main = new URL('../dist/main.js', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-soak-'));
const data = join(folder, 'data');
const plan = join(folder, 'plan.yaml');
const part = Math.ceil(megabytes / 64);

// `crashes` ends at once, again and again; `loud` writes 64 MB, ends and comes again until all is written.
writeFileSync(
  plan,
  `version: 1
services:
  crashes: { command: [sh, -c, 'echo crash; exit 1'], backoff: { initial: 1ms, max: 1ms, limit: 0 } }
  loud:
    command: [sh, -c, 'echo part >> ${folder}/parts; test $$(wc -l < ${folder}/parts) -gt ${part} && exec sleep 100000; yes "${'x'.repeat(119)}" | head -c 67108864']
    backoff: { initial: 1ms, max: 1ms, limit: 0 }
  steady: { command: [sleep, '100000'] }
`,
);

// As docker/bulkhead starts it.
const flags = ['--max-semi-space-size=1', '--optimize-for-size', '--disable-sigusr1'];
const env = {
  PATH: process.env.PATH,
  MALLOC_ARENA_MAX: '1',
  BULKHEAD_DATA: data,
  BULKHEAD_CONFIG: plan,
  BULKHEAD_PORT: String(await freePort()),
};
const supervisor = spawn(process.execPath, [...flags, main, 'up'], { env, stdio: 'ignore' });
const ended = new Promise((resolve) => supervisor.once('exit', (code) => resolve(code)));
const samples = [];
try {
  for (;;) {
    await sleep(1000);
    const status = await readStatus();
    if (status === undefined) continue;
    const count = (name) => status.services.find((service) => service.name === name)?.generation ?? 0;
    const sample = {
      restarts: count('crashes'),
      loggedMB: Math.min(count('loud') - 1, part) * 64,
      rssMB: Math.round(status.supervisor.residentBytes / 1e5) / 10,
      fds: readdirSync(`/proc/${supervisor.pid}/fd`).length,
      timers: status.supervisor.timers,
      zombies: status.supervisor.zombies,
      loopLagMs: Math.round(status.supervisor.loopLag),
      dropped: status.supervisor.logDroppedLines,
      internalErrors: status.supervisor.internalErrors,
      fault: status.supervisor.fault ?? '',
    };
    samples.push(sample);
    console.log(JSON.stringify(sample));
    emptyLogs();
    if (sample.restarts >= restarts && sample.loggedMB >= megabytes) break;
  }
} finally {
  supervisor.kill('SIGTERM');
  console.log(`ended ${await ended}`);
  rmSync(folder, { recursive: true, force: true });
}
// The first half is warming up: V8 grows its heap to what it needs.
const late = samples.slice(Math.floor(samples.length / 2));
const slope = slopeOf(late.map(({ restarts: at, rssMB }) => [at, rssMB])) * 1000;
console.log(`rssMB: ${late.at(0)?.rssMB} → ${late.at(-1)?.rssMB}, ${slope.toFixed(2)} per 1000 restarts`);
// A sample may fall into a start or between two; what is lost is missing from the least of many.
for (const what of ['fds', 'timers']) {
  const quarters = [0, 1, 2, 3].map((quarter) =>
    samples.filter((_, at) => Math.floor((at * 4) / samples.length) === quarter),
  );
  const least = quarters.map((quarter) => Math.min(...quarter.map((sample) => sample[what])));
  console.log(`${what}, the least of each quarter: ${least.join(' ')}`);
}

/** Least squares. */
function slopeOf(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))];
  const over = points.reduce((sum, [at, value]) => sum + (at - x) * (value - y), 0);
  return over / points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
}

function readStatus() {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [main, 'status', '--json'], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.once('close', (code) => resolve(code === 7 ? undefined : JSON.parse(text)));
  });
}

/** The disk is not what is tested. */
function emptyLogs() {
  for (const name of readdirSync(join(data, 'logs'))) {
    const file = join(data, 'logs', name);
    if (statSync(file).size > 100_000_000) truncateSync(file);
  }
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
