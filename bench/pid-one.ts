/**
 * PID 1 alone, without Docker: from its start to its first child's first moment, beside the start of an empty Node in
 * alternation, and its memory when the core tier idles.
 *
 *   npm run build && node bench/pid-one.ts [--runs=15]
 *
 * The first child is a bash, in a plan that extends core: the whole of core is read, one more service is run.
 * Memory is of `npm start`'s process on this machine, so it needs what `npm start` needs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts, waitFor } from '../test/image/container.ts';
import { readMemory } from './memory.ts';
import { describeSpread, readOption, spreadOf } from './samples.ts';
import { isUp } from './subjects.ts';

const IDLE_MS = 10_000;
const runs = readOption('runs', 15);
const root = join(import.meta.dirname, '..');
const main = join(root, 'dist', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-pid-one-'));

try {
  await compareStarts();
  await measureIdle();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compareStarts(): Promise<void> {
  const config = join(folder, 'config');
  mkdirSync(config);
  copyFileSync(join(root, 'config', 'core.yaml'), join(config, 'core.yaml'));
  writeFileSync(
    join(config, 'stamped.yaml'),
    `version: 1
extends: core.yaml
services:
  stamp:
    command: [bash, -c, 'echo $$EPOCHREALTIME >"$$STAMP.part"; mv "$$STAMP.part" "$$STAMP"; exec sleep 1000']
    environment:
      STAMP: ${join(folder, 'stamp')}
`,
  );
  const supervisor: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < runs; round++) {
    supervisor.push(await startSupervisor(config, round));
    bare.push(await startBare());
  }
  console.log(`up to the first child, ms: ${describeSpread(supervisor)}`);
  console.log(`start of an empty Node until its first line runs, ms: ${describeSpread(bare)}`);
  console.log(`ratio of medians: ${(spreadOf(supervisor).median / spreadOf(bare).median).toFixed(2)}`);
}

async function startSupervisor(config: string, round: number): Promise<number> {
  const stamp = join(folder, 'stamp');
  rmSync(stamp, { force: true });
  const ports = await freePorts();
  const env = {
    ...process.env,
    BULKHEAD_CONFIG: config,
    BULKHEAD_TIER: 'stamped',
    BULKHEAD_ONLY: 'stamp',
    BULKHEAD_DATA: join(folder, `data-${round}`),
    BULKHEAD_PORT: String(ports.probes),
  };
  mkdirSync(env.BULKHEAD_DATA);
  const from = now();
  const child = spawn(process.execPath, ['--disable-sigusr1', main, 'up'], { env, stdio: 'ignore' });
  try {
    await waitFor('the first child', async () => existsSync(stamp), undefined, 10_000);
    return Number(readFileSync(stamp, 'utf8').replace(',', '.')) * 1000 - from;
  } finally {
    await end(child);
  }
}

/** The same clock for the same moment: what the program says when it can say anything. */
async function startBare(): Promise<number> {
  const from = now();
  const program = 'console.log(performance.timeOrigin + performance.now())';
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  return Number(text) - from;
}

async function measureIdle(): Promise<void> {
  const data = join(folder, 'data-core');
  const ports = await freePorts();
  const env = {
    ...process.env,
    BULKHEAD_DATA: data,
    PORT: String(ports.app),
    BULKHEAD_PORT: String(ports.probes),
    BULKHEAD_DB_PORT: String(ports.database),
  };
  const start = join(root, 'scripts', 'start.mjs');
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', start], {
    env,
    stdio: 'ignore',
  });
  try {
    await waitFor('the core tier', () => isUp('bulkhead', ports));
    await sleep(IDLE_MS);
    const { pss, privateDirty } = readMemory(child.pid ?? 0);
    const inMb = (kb: number) => (kb / 1024).toFixed(1);
    console.log(`idle with the core tier, MB: PSS ${inMb(pss)}, private dirty ${inMb(privateDirty)}`);
  } finally {
    await end(child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

/** ms since 1970 with the fraction that Date.now() lacks. */
function now(): number {
  return performance.timeOrigin + performance.now();
}
