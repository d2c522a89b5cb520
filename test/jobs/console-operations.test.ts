/** Operations asked for over HTTP, on a real cluster, while the API is killed and restarted. */
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findInstallations, findTool } from '../../src/postgres/binaries.ts';
import { freePorts, type Supervisor, startSupervisor } from '../support/supervisor.ts';

const [newest, ...others] = findInstallations('/tmp');
const older = others.find((each) => each.major < (newest?.major ?? 0) && findTool(each, 'pg_dump'));

let bulkhead: Supervisor;
let headers: Record<string, string>;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-scenario-'));
  chmodSync(folder, 0o755);
  const [port] = await freePorts(1);
  bulkhead = await startSupervisor({
    folder,
    env: { BULKHEAD_DB_PORT: String(port) },
    plan: `
version: 1
name: own
api: { enabled: true, user: nobody }
database: { name: tools, user: tools_user, settings: { fsync: 'off' } }
services:
  app: { command: [sleep, "1000"], depends_on: { database: { condition: service_healthy } } }
`,
  });
  await bulkhead.ready();
  expect((await bulkhead.run('wait', 'api', '--timeout', '30s')).code).toBe(0);
  const token = readFileSync(join(bulkhead.dataDir, 'secrets', 'token'), 'utf8').trim();
  headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' };
  await sql('CREATE TABLE words (id int PRIMARY KEY, word text)');
  await sql("INSERT INTO words SELECT i, 'word ' || i FROM generate_series(1, 100000) i");
}, 100_000);
afterAll(async () => {
  await bulkhead[Symbol.asyncDispose]();
  rmSync(bulkhead.folder, { recursive: true, force: true });
});

async function sql(text: string): Promise<string> {
  const { code, stdout, stderr } = await bulkhead.run('db', 'psql', '--', '-XAtc', text);
  expect(code, stderr).toBe(0);
  return stdout.trim();
}

/** What the API answers; it may be away for a moment. */
async function ask(path: string, body?: object): Promise<Answer> {
  for (;;) {
    try {
      const method = body === undefined ? 'GET' : 'POST';
      const answer = await fetch(`http://127.0.0.1:${bulkhead.apiPort}${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return await answer.json();
    } catch (error) {
      // A change is not asked for twice.
      if (body !== undefined) throw error;
      await sleep(50);
    }
  }
}

async function over(id: string): Promise<Answer> {
  for (;;) {
    const view = await ask(`/operations/${id}`);
    if (view.state !== 'running') return view;
    await sleep(100);
  }
}

const apiOf = async () => (await bulkhead.status()).services.find(({ name }) => name === 'api');

test('a backup goes on while the API is killed, and is found again by its id', async () => {
  const begun = await ask('/backups', { what: 'daily' });
  expect(begun).toMatchObject({ kind: 'backup run', state: 'running' });
  const { pid = 0, generation = 0 } = (await apiOf()) ?? {};
  process.kill(pid, 'SIGKILL');
  await expect.poll(async () => (await apiOf())?.generation, { timeout: 20_000 }).toBeGreaterThan(generation);
  const done = await over(begun.id);
  const { id, kind, about, actor, startedAt } = begun;
  expect([done.state, done.failure]).toEqual(['done', undefined]);
  expect(done).toMatchObject({ id, kind, about, actor, startedAt });
  const { backups } = await ask('/backups?kind=dump');
  expect(backups.map((backup: Answer) => backup.id)).toEqual([done.result.made[0].backup.id]);
});

// Two majors are needed: npm's server is there everywhere, an older one of the system only where one is installed, as in CI.
test.skipIf(!older)(
  `an upgrade from PostgreSQL ${older?.major} to ${newest?.major} is done over HTTP, though the API is restarted meanwhile`,
  async () => {
    const before = await sql('SELECT count(*), sum(hashtext(w::text)) FROM words w');
    const dry = await ask('/database/upgrade', { dryRun: true });
    const plan = await over(dry.id);
    expect(plan.result).toMatchObject({ dryRun: true, upgrade: { from: older?.major, to: newest?.major } });

    const begun = await ask('/database/upgrade', { confirm: 'upgrade', timeout: '90s' });
    expect(begun).toMatchObject({ kind: 'db upgrade', role: 'admin', state: 'running' });
    expect((await bulkhead.run('restart', 'api')).code).toBe(0);
    const done = await over(begun.id);
    expect([done.state, done.failure]).toEqual(['done', undefined]);
    expect(done.result).toMatchObject({ dryRun: false, upgrade: { from: older?.major, to: newest?.major } });
    const { database } = await ask('/database');
    expect(database.serverVersion).toMatch(new RegExp(`^${newest?.major}\\b`));

    const back = await ask('/database/rollback', { confirm: 'rollback', timeout: '90s' });
    expect([(await over(back.id)).state, back.kind]).toEqual(['done', 'db rollback']);
    expect(await sql('SELECT count(*), sum(hashtext(w::text)) FROM words w')).toBe(before);
    expect((await ask('/database')).database.serverVersion).toMatch(new RegExp(`^${older?.major}\\b`));
  },
);

test('a backup that is cancelled at the next start of the API ends, and the one after it need not wait', async () => {
  const begun = await ask('/backups', { what: 'daily' });
  expect(begun.state).toBe('running');
  expect((await bulkhead.run('restart', 'api')).code).toBe(0);
  expect(await ask(`/operations/${begun.id}`)).toMatchObject({ id: begun.id, state: 'running' });
  await ask(`/operations/${begun.id}/cancel`, {});
  expect(await over(begun.id)).toMatchObject({ state: 'cancelled' });
  const next = await ask('/backups', { what: 'config' });
  expect(await over(next.id)).toMatchObject({ state: 'done' });
});

// biome-ignore lint/suspicious/noExplicitAny: answers of many routes; whatever it says is compared at once.
type Answer = any;
