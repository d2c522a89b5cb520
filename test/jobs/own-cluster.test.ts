/** Jobs in the database of this very container: from its first boot on, and while its server is killed. */

import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/descendants.ts';
import { JobTrial } from '../support/job-trial.ts';
import { freePorts, startSupervisor } from '../support/supervisor.ts';

const isRoot = process.geteuid?.() === 0;

test('the queue is there from the first boot on, as another user, and lives through the death of its server', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-scenario-'));
  chmodSync(folder, 0o755);
  const [port] = await freePorts(1);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(folder, { recursive: true, force: true }));
  const bulkhead = await startSupervisor({
    folder,
    env: { BULKHEAD_DB_PORT: String(port) },
    plan: `
version: 1
name: own
api: { enabled: false }
database:
  settings: { fsync: off }
  migrate: { command: [sh, -c, 'sleep 2; echo migrated >> {folder}/attempts'], user: root }
queue: { user: nobody }
jobs:
  work:
    command: [${process.execPath}, '{programs}/works-on-job.mjs']
  backup:
    command: [${process.execPath}, '{programs}/works-on-job.mjs']
    requires: [database]
    concurrency: 1
    retries: 0
`,
  });
  undo.use(bulkhead);
  await bulkhead.answers();
  const jobs = new JobTrial(bulkhead);
  // While the cluster is being made, the import and the migration run.
  const first = await jobs.add({}, { type: 'backup' });
  expect(await jobs.until(first, 'completed')).toMatchObject({ attempts: 1, durability: 'durable' });
  expect(jobs.told.map(({ id, event }) => `${id} ${event}`)).toEqual([
    'migrated undefined',
    `${first} began`,
    `${first} finished`,
  ]);
  await bulkhead.ready();
  if (isRoot) expect(statSync(join(folder, 'data', 'bulkhead', 'jobs')).uid).not.toBe(0);
  expect((await jobs.status()).store).toMatchObject({ kind: 'postgres', durability: 'durable' });

  const active = await jobs.add({ ms: 2500 });
  await jobs.began(active);
  const { services } = await bulkhead.status();
  const server = services.find(({ name }) => name === 'database')?.pid ?? 0;
  process.kill(server, 'SIGKILL');
  const meanwhile = await Promise.all([jobs.add(), jobs.add(), jobs.add()]);
  for (const id of [active, ...meanwhile]) await jobs.until(id, 'completed');
  await eventually(
    'all have written',
    () => jobs.told.filter(({ event }) => event === 'finished').length >= 5,
  );
  for (const id of [active, ...meanwhile]) {
    expect(jobs.told.filter((told) => told.id === id)).toHaveLength(2);
    expect(await jobs.get(id)).toMatchObject({ durability: 'durable', attempts: 1 });
  }
});
