import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { TaskPlan } from '../../src/config/plan-runs.ts';
import { createSinkRuns, type SinkMessage } from '../../src/supervisor/sink-runs.ts';
import { isDead, listProcesses } from '../../src/system/process-table.ts';
import { type Reaper, startReaper } from '../../src/system/reaper.ts';
import { planOf, readText } from '../config/reading.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import { eventually } from '../support/descendants.ts';
import { fakeLaunchSource, listeningLogs } from '../support/launch-trial.ts';

const MESSAGE: SinkMessage = { json: '{"status":"firing"}\n', env: { BULKHEAD_ALERT_STATUS: 'firing' } };

let reaper: Reaper;
let folder: string;
let clock: ManualClock;
beforeAll(() => {
  reaper = startReaper();
});
afterAll(() => reaper.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-sink-'));
  clock = manualClock();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The command of a sink that is this shell script, in the folder of the test. */
function scriptOf(script: string): TaskPlan {
  const plan = planOf(
    readText(`version: 1
services: { app: { command: [x] } }
alerts: { sinks: { pager: { type: exec, command: [sh, -c, ${JSON.stringify(script)}], working_dir: ${folder} } } }
`),
  );
  const run = plan.alerts?.sinks[0]?.run;
  if (run === undefined) throw new Error('the plan has no command');
  return run;
}

function runs() {
  const { output, logs } = listeningLogs();
  return { output, ...createSinkRuns(fakeLaunchSource(folder), logs, clock) };
}

test('a message comes on standard input and in variables; what the command says is in the log', async () => {
  const { tell, output } = runs();
  const told = await tell(scriptOf('cat > got; echo "$$BULKHEAD_ALERT_STATUS"'), MESSAGE);
  expect(told).toEqual({ ok: true, error: '' });
  expect(readFileSync(join(folder, 'got'), 'utf8')).toBe(MESSAGE.json);
  expect(output.join('\n')).toMatch(/alert-pager.*firing/);
});

test('one that fails was not told: how it ended, and its last line', async () => {
  const { tell } = runs();
  expect(await tell(scriptOf('echo no line to the pager >&2; exit 3'), MESSAGE)).toEqual({
    ok: false,
    error: 'exit 3; last line: no line to the pager',
  });
});

test('one that cannot be started says so', async () => {
  const { tell } = runs();
  const run = { ...scriptOf('true'), work: { kind: 'command', argv: ['/no/such/program'] } } as const;
  expect(await tell(run, MESSAGE)).toMatchObject({
    ok: false,
    error: expect.stringContaining('/no/such/program'),
  });
});

test('one that takes too long is killed, with what it started', async () => {
  const { tell } = runs();
  const told = tell(scriptOf('sleep 1000 & echo $$! > pid; echo busy; wait'), MESSAGE);
  const pid = await eventuallyPid();
  clock.advance(30_000);
  expect(await told).toMatchObject({ ok: false, error: expect.stringMatching(/^it took longer than 30/) });
  expect(isAlive(pid)).toBe(false);
});

test('what a command leaves behind does not pile up', async () => {
  const { tell } = runs();
  const told = await tell(scriptOf('sleep 1000 & echo $$! > pid'), MESSAGE);
  expect(told.ok).toBe(true);
  expect(isAlive(await eventuallyPid())).toBe(false);
});

test('messages go one after the other, and where too many wait the next is refused', async () => {
  const { tell, kill } = runs();
  const run = scriptOf(
    '[ -e busy ] && echo two at once; : > busy; echo $$$$ > pid; cat >> got; [ -e go ] || sleep 1000; rm busy',
  );
  const first = tell(run, MESSAGE);
  const pid = await eventuallyPid();
  const others = Array.from({ length: 5 }, () => tell(run, MESSAGE));
  expect(await others[4]).toEqual({ ok: false, error: '4 messages wait for it already' });
  writeFileSync(join(folder, 'go'), '');
  rmSync(join(folder, 'busy'));
  process.kill(pid, 'SIGKILL');
  expect((await first).ok).toBe(false);
  expect(await Promise.all(others.slice(0, 4))).toEqual(Array(4).fill({ ok: true, error: '' }));
  expect(readFileSync(join(folder, 'got'), 'utf8')).toBe(MESSAGE.json.repeat(5));
  kill();
  expect(await tell(run, MESSAGE)).toEqual({ ok: false, error: 'everything is being stopped' });
});

test('at the very end it is killed', async () => {
  const { tell, kill } = runs();
  const told = tell(scriptOf('echo $$$$ > pid; exec sleep 1000'), MESSAGE);
  await eventuallyPid();
  kill();
  expect(await told).toMatchObject({ ok: false, error: expect.stringMatching(/^killed by SIGKILL/) });
});

async function eventuallyPid(): Promise<number> {
  let pid = 0;
  await eventually('the script has written its pid', () => {
    try {
      pid = Number(readFileSync(join(folder, 'pid'), 'utf8').trim());
    } catch {
      // Not yet.
    }
    return pid > 0;
  });
  return pid;
}

function isAlive(pid: number): boolean {
  return listProcesses().some((entry) => entry.pid === pid && !isDead(entry));
}
