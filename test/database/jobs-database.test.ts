/** The database of the queue, on a volume that had none, beside the application's own. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobsPlan } from '../../src/config/plan-jobs.ts';
import { layOutRunDir } from '../../src/database/volume.ts';
import { PostgresStore } from '../../src/jobs/stores/postgres.ts';
import { forgetJobsDatabase, isJobsDatabaseReady } from '../../src/postgres/jobs-ready.ts';
import { openJobsSession, unhurried } from '../../src/postgres/jobs-session.ts';
import { layoutOf } from '../../src/postgres/layout.ts';
import type { Ask } from '../../src/postgres/session-pool.ts';
import { findIdentity } from '../../src/system/users.ts';
import { LIMITS, mustClaim, newJob, TYPES } from '../jobs-store/trial.ts';
import { makeEmptyVolume, type TestVolume } from '../support/postgres.ts';

const JOBS = { store: 'postgres' } as JobsPlan;
const SECRETS = { jobsPassword: 'of the queue' };
let volume: TestVolume;

beforeAll(async () => {
  volume = await makeEmptyVolume();
  expect((await volume.boot()).code).toBe(0);
});

afterAll(() => volume.remove());

const SERVER = () => ({
  socketDir: `${volume.runDir}/pg`,
  port: volume.plan.port,
  appUser: '',
  appPassword: '',
});

function openStore(jobsPassword = SECRETS.jobsPassword): PostgresStore {
  return new PostgresStore({
    connect: () => openJobsSession(SERVER(), volume.plan.name, jobsPassword, process.pid),
    limits: LIMITS,
    note: () => undefined,
  });
}

test('is made by the set-up where the plan has jobs, and by nobody else', async () => {
  expect(await volume.databases()).toEqual(['tools']);
  const early = openStore();
  await expect(early.open(TYPES)).rejects.toMatchObject({
    code: 'store-away',
    message: expect.stringContaining('the set-up has not made the database of the queue yet'),
  });
  await early.close();
  const made = await volume.run('setup', { jobs: JOBS, secrets: SECRETS });
  expect([made.code, made.failure]).toEqual([0, undefined]);
  expect(await volume.databases()).toEqual(['bulkhead_jobs', 'tools']);
  const store = openStore();
  await store.open(TYPES);
  await store.add(newJob({ data: 'kept' }));
  await store.close();
});

test('is the worker’s alone: the application does not get in', async () => {
  await expect(volume.query('SELECT', 'bulkhead_jobs')).rejects.toThrow(/permission denied for database/);
  const wrong = openStore('another password');
  await expect(wrong.open(TYPES)).rejects.toMatchObject({ code: 'store-away' });
  await wrong.close();
});

test('runs no statement for longer than somebody waits for it, but for what migrates', async () => {
  const said: string[] = [];
  const store = new PostgresStore({
    connect: async () => {
      const session = await openJobsSession(SERVER(), volume.plan.name, SECRETS.jobsPassword, process.pid);
      const { query } = session;
      const { rows } = await session.query('SHOW statement_timeout');
      expect(rows).toEqual([{ statement_timeout: '10s' }]);
      session.query = ((text: string, values?: unknown[]) => {
        said.push(text);
        return Reflect.apply(query, session, [text, values]);
      }) as typeof session.query;
      return session;
    },
    limits: LIMITS,
    note: () => undefined,
  });
  await store.open(TYPES);
  await store.add(newJob({ data: 'kept' }));
  await store.close();
  const before = (word: RegExp) => said[said.findIndex((text) => word.test(text)) - 1];
  expect(before(/CREATE TABLE IF NOT EXISTS bulkhead_jobs\.bulkhead_attempt/)).toMatch(
    /'statement_timeout', '0'/,
  );
  expect(before(/INSERT INTO bulkhead_jobs\.job/)).not.toMatch(/'statement_timeout', '0'/);
  const session = await openJobsSession(SERVER(), volume.plan.name, SECRETS.jobsPassword, process.pid);
  const shown = async () => (await session.query('SHOW statement_timeout')).rows[0]?.statement_timeout;
  const ask: Ask = (text, values) => session.query(text, values as unknown[]);
  expect([await unhurried(ask, shown), await shown()]).toEqual(['0', '10s']);
  await session.end();
});

test('stays at every further set-up, its password follows the secret, and the application’s name may not be its', async () => {
  const again = await volume.run('setup', { jobs: JOBS, secrets: { jobsPassword: 'a new one' } });
  expect([again.code, again.notes]).toEqual([0, []]);
  const store = openStore('a new one');
  await store.open(TYPES);
  expect((await mustClaim(store)).data).toBe('kept');
  await store.close();
  const named = await volume.run('setup', { plan: { name: 'bulkhead_jobs' } });
  expect(named.failure).toContain('cannot use bulkhead_jobs as the application');
});

test('begins anew where it came back with a backup of the whole cluster', async () => {
  await volume.admin(
    `INSERT INTO bulkhead.ledger (id, kind, tool, detail) VALUES ('restore:tools', 'restore', 'bulkhead',
       '{"database":"tools","user":"tools_user","backup":"b","backupAt":"2026-01-01T00:00:00Z","whole":true}')`,
  );
  for (const notes of [[expect.stringContaining('the queue came back with the backup')], []]) {
    const restored = await volume.run('setup', { jobs: JOBS, secrets: SECRETS });
    expect([restored.code, restored.notes]).toEqual([0, notes]);
  }
  const store = openStore();
  await store.open(TYPES);
  expect(await store.counts()).toEqual({});
  await store.close();
});

test('is not opened on the word of an earlier boot, nor of one before another cluster came into force', async () => {
  await volume.run('setup', { jobs: JOBS, secrets: SECRETS });
  const { sockets } = layoutOf(volume.dataDir, volume.runDir);
  expect(isJobsDatabaseReady(sockets, process.pid)).toBe(true);
  expect(isJobsDatabaseReady(sockets, process.ppid)).toBe(false);
  const session = () => openJobsSession(SERVER(), volume.plan.name, SECRETS.jobsPassword, process.ppid);
  await expect(session()).rejects.toThrow(/the set-up has not made the database of the queue yet/);
  forgetJobsDatabase(sockets);
  expect(isJobsDatabaseReady(sockets, process.pid)).toBe(false);
  await volume.run('setup', { jobs: JOBS, secrets: SECRETS });
});

test('is known to be there when the task cluster is run again alone', async () => {
  layOutRunDir(layoutOf(volume.dataDir, volume.runDir), findIdentity('postgres'));
  const late = openStore();
  // The socket is gone, not the word of the set-up.
  await expect(late.open(TYPES)).rejects.toThrow(/ENOENT/);
  await late.close();
});
