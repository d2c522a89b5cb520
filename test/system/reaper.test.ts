import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { listOwnedPids } from '../../src/system/children.ts';
import { readChildren, readProcess } from '../../src/system/process-table.ts';
import { startReaper } from '../../src/system/reaper.ts';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

const run = promisify(execFile);
const program = join(import.meta.dirname, '../programs/reaps-orphans.ts');
const canUnshare = await run('unshare', ['--pid', '--fork', 'true']).then(
  () => true,
  () => false,
);

test.runIf(canUnshare)(
  'as PID 1, no zombie is left of 300 orphans, and every service keeps its own exit',
  async () => {
    const { stdout } = await run('unshare', [
      '--pid',
      '--fork',
      '--mount-proc',
      process.execPath,
      program,
      '300',
    ]);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ pid: 1, services: 10, emptied: 10, zombies: 0, left: 0 });
    // The shells that make the orphans may take a few themselves.
    expect(told.reaped).toBeGreaterThan(200);
  },
);

test('laws 1, 28: as any other process, no zombie is left of 300 orphans, and every service keeps its own exit', async () => {
  const { stdout } = await run(process.execPath, [program, '300']);
  const told = JSON.parse(stdout);
  expect(told).toMatchObject({ services: 10, emptied: 10, zombies: 0, left: 0 });
  expect(told.reaped).toBeGreaterThan(200);
});

test('a child that a library starts by itself keeps its exit event while orphans are reaped', async () => {
  const reaped: number[] = [];
  const reaper = startReaper({ onReaped: (pid) => reaped.push(pid) });
  const others = Array.from({ length: 40 }, (_, code) => {
    const child = spawn('sh', ['-c', `(sleep 0 &); exit ${code}`], { stdio: 'ignore' });
    expect(listOwnedPids().has(child.pid ?? 0)).toBe(true);
    return new Promise<number | null>((resolve) => child.once('exit', resolve)).then((exit) => {
      expect(exit).toBe(code);
      return child.pid;
    });
  });
  const pids = await Promise.all(others);
  reaper.stop();
  expect(reaped.filter((pid) => pids.includes(pid))).toEqual([]);
});

test('a spawn that fails in a library that does not listen ends nothing', async () => {
  const reaper = startReaper();
  const child = spawn('/nowhere/ps');
  await new Promise((resolve) => child.once('error', resolve));
  reaper.stop();
  const unheard = spawn('/nowhere/ps');
  await new Promise((resolve) => setImmediate(resolve));
  expect(unheard.pid).toBeUndefined();
  expect(listOwnedPids().size).toBe(0);
});

test('law 5: a zombie that nobody takes does not keep a service from being empty', async () => {
  // Its parent has left group, session and tag, waits for nobody, and lives on: the zombie stays in the group.
  const script = 'sh -c "true & exec env -i setsid sleep 1000" & echo "hoarder $!"; exec sleep 1000';
  const child = startChild(['sh', '-c', script]);
  const hoarder = Number(/hoarder (\d+)/.exec(await child.printed('hoarder'))?.[1]);
  onTestFinished(() => {
    process.kill(hoarder, 'SIGKILL');
  });
  await until(() => readProcess(hoarder)?.session === hoarder && (readChildren(hoarder)?.length ?? 0) === 1);
  const [zombie = 0] = readChildren(hoarder) ?? [];
  await until(() => readProcess(zombie)?.state === 'Z');
  child.process?.signal('SIGKILL', 'leader');
  await child.emptied;
  expect(readProcess(zombie)).toMatchObject({ state: 'Z', group: child.process?.pid });
});

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 2));
}
