import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunPlan } from '../../src/config/plan-runs.ts';
import { createCompanions } from '../../src/supervisor/companions.ts';
import { type Reaper, startReaper } from '../../src/system/reaper.ts';
import { planOf, readText } from '../config/reading.ts';
import { eventually } from '../support/descendants.ts';
import { fakeLaunchSource, listeningLogs } from '../support/launch-trial.ts';

let reaper: Reaper;
let folder: string;
beforeAll(() => {
  reaper = startReaper();
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-companions-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  reaper.stop();
});

test('a program that only looks is killed where it does not end when nobody wants its answer any more', async () => {
  const { output, logs } = listeningLogs();
  const deaf = 'process.on("SIGTERM", () => {}); console.log("up"); setTimeout(() => {}, 20_000);';
  const source = { ...fakeLaunchSource(folder), programArgv: () => [process.execPath, '-e', deaf] };
  const [run] = planOf(readText('version: 1\nservices: { app: { command: [x] } }\n')).runs as RunPlan[];
  if (run === undefined) throw new Error('the plan has no run');
  const left = new AbortController();
  const ended = createCompanions(source, logs).program(run, 'command', {}, () => {}, left.signal, 50);
  await eventually('the program runs', () => output.some((line) => line.includes('up')));
  left.abort();
  expect(await ended).toBe(1);
});
