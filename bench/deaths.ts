/**
 * kill -9 of what the product is made of: how long until it serves every row again, and what its probes said meanwhile.
 *
 *   node bench/deaths.ts [--runs=5]
 *
 * Needs Docker, the image under test, and root to kill a process of a container from outside.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isApp, isBackend, isPostmaster, type Process, waitFor } from '../test/image/container.ts';
import { listNamespace } from './memory.ts';
import { describeSpread, readOption } from './samples.ts';
import {
  ask,
  type Boot,
  countTools,
  isUp,
  mustDocker,
  pidOne,
  prepare,
  ROWS,
  remove,
  run,
} from './subjects.ts';

/** Well for this long: it is over. */
const CALM_MS = 3000;
const PAUSE_MS = 5;

const VICTIMS: Readonly<Record<string, (process: Process) => boolean>> = {
  app: isApp,
  'one backend': isBackend,
  postmaster: isPostmaster,
};

const runs = readOption('runs', 5);
const boot = await prepare();
try {
  await run('bulkhead', boot);
  await waitUp();
  for (const [name, isVictim] of Object.entries(VICTIMS)) {
    const times: number[] = [];
    const said = { readyz: new Map<string, number>(), health: new Map<string, number>() };
    for (let round = 0; round < runs; round++) {
      const { ms, readyz, health } = await killOne(boot, isVictim);
      times.push(ms);
      count(said.readyz, readyz);
      count(said.health, health);
      // A fresh supervisor for each: earlier deaths lengthen the pause before the next start.
      await mustDocker(['restart', boot.name]);
      await waitUp();
    }
    console.log(`${name}: ms to serve again: ${describeSpread(times)}`);
    console.log(`  /readyz: ${describe(said.readyz)}`);
    console.log(`  /health: ${describe(said.health)}`);
  }
} finally {
  await remove(boot);
}

function waitUp(): Promise<void> {
  return waitFor('the product to be up', () => isUp('bulkhead', boot.ports));
}

/** ms from the kill until all was well and stayed so; the codes in their order, repetitions left out. */
async function killOne(
  { name, ports }: Boot,
  isVictim: (process: Process) => boolean,
): Promise<{ ms: number; readyz: string; health: string }> {
  // A query, so that there is a backend.
  await countTools(ports);
  const victim = listNamespace(await pidOne(name)).find((pid) => isVictim(describeProcess(pid)));
  if (victim === undefined) throw new Error('the victim does not run');
  const codes: { readyz: string[]; health: string[] } = { readyz: [], health: [] };
  const killed = performance.now();
  process.kill(victim, 'SIGKILL');
  let over = false;
  const watched = watchProbes(ports.probes, codes, () => over);
  let wellSince: number | undefined;
  while (wellSince === undefined || performance.now() - wellSince < CALM_MS) {
    const [ready, rows] = await Promise.all([
      ask(`http://127.0.0.1:${ports.probes}/readyz`),
      countTools(ports),
    ]);
    if (ready.status === 200 && rows === ROWS) wellSince ??= performance.now();
    else wellSince = undefined;
    await sleep(PAUSE_MS);
  }
  over = true;
  await watched;
  return {
    ms: wellSince - killed,
    readyz: codes.readyz.join(' → '),
    health: codes.health.join(' → '),
  };
}

/** On its own, so that an app that hangs does not hide what the probes say. */
async function watchProbes(port: number, codes: { readyz: string[]; health: string[] }, over: () => boolean) {
  const probes = `http://127.0.0.1:${port}`;
  while (!over()) {
    const [readyz, health] = await Promise.all([ask(`${probes}/readyz`), ask(`${probes}/health`)]);
    append(codes.readyz, String(readyz.status));
    append(codes.health, `${health.status}${wordOf(health.text)}`);
    await sleep(PAUSE_MS);
  }
}

function wordOf(text: string): string {
  try {
    const { status }: { status?: string } = JSON.parse(text);
    return status === undefined ? '' : ` ${status}`;
  } catch {
    return '';
  }
}

function append(codes: string[], code: string): void {
  if (codes.at(-1) !== code) codes.push(code);
}

function describeProcess(pid: number): Process {
  let argv = '';
  try {
    argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {}
  return { pid, parent: 0, uid: 0, state: '', argv };
}

function count(into: Map<string, number>, what: string): void {
  into.set(what, (into.get(what) ?? 0) + 1);
}

function describe(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, times]) => `${times} × ${what}`).join('; ');
}
