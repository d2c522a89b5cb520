/** A real supervisor with jobs in memory: added on its socket, run as trees of its own, and gone with it. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JobAdded, JobsAnswer, JobsRequest, JobView } from '../../src/protocol/jobs.ts';
import { askSocket } from '../support/control-socket.ts';
import { eventually, listDescendants } from '../support/descendants.ts';
import { type Supervisor, startSupervisor } from '../support/supervisor.ts';

const PLAN = `
version: 1
queue: { user: nobody }
api: { user: nobody, host: 127.0.0.1 }
jobs:
  greet: { command: [sh, -c, 'read -r line; echo "hello $$line"; exit 0'], user: nobody }
  hang: { command: [sh, -c, 'trap "" TERM; echo hanging; while :; do sleep 1; done'], user: nobody }
schedules:
  often: { cron: "* * * * * *", job: greet, data: { by: clock } }
`;

async function ask(bulkhead: Supervisor, request: JobsRequest): Promise<JobsAnswer> {
  return (await askSocket(bulkhead, 'POST', '/v1/jobs', request)).value as JobsAnswer;
}

async function add(bulkhead: Supervisor, type: string, data: unknown): Promise<JobView> {
  const answer = await ask(bulkhead, { op: 'add', type, data });
  if (!answer.ok) throw new Error(answer.message);
  return (answer.value as JobAdded).job;
}

test('jobs are added, run, logged by their id, follow a reload, and end with the supervisor', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-scenario-'));
  // The worker's user has its journal in there.
  chmodSync(folder, 0o755);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(folder, { recursive: true, force: true }));
  const bulkhead = undo.use(await startSupervisor({ plan: PLAN, folder }));
  await bulkhead.ready();

  const { id } = await add(bulkhead, 'greet', { who: 'world' });
  await eventually('the job has run', async () => {
    const answer = await ask(bulkhead, { op: 'get', id });
    return answer.ok && (answer.value as JobView).state === 'completed';
  });
  expect(bulkhead.output()).toMatch(new RegExp(`greet ${id.slice(-8)} \\| hello \\{"id":"${id}"`));

  await bulkhead.says('added greet');
  await eventually('the job of a schedule is done, and so is its run', async () => {
    const { schedules } = await bulkhead.status();
    return /^greet \w{8} is done$/.test(schedules[0]?.lastRun?.reason ?? '');
  });
  const { jobs } = await bulkhead.status();
  expect(jobs?.store.kind).toBe('memory');

  writeFileSync(join(folder, 'plan.yaml'), PLAN.replace('hello', 'goodbye'));
  const { stdout } = await bulkhead.run('reload');
  expect(stdout).toContain('worker');
  await eventually('the new command is run', async () => {
    await add(bulkhead, 'greet', {}).catch(() => undefined);
    return bulkhead.output().includes('| goodbye ');
  });

  await add(bulkhead, 'hang', {});
  await bulkhead.says('| hanging');
  expect(await bulkhead.stop()).toEqual({ code: 0, signal: null });
  expect(listDescendants(process.pid).filter(({ argv }) => argv.includes('hanging'))).toEqual([]);
});
