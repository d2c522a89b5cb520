/** A backup, a restore and a rollback asked for over HTTP, on a real cluster, seen in the one stream. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePorts, startSupervisor } from '../support/supervisor.ts';

test('what the command line does to a database is done over HTTP, with its progress in the stream', async () => {
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
api: { enabled: true, user: nobody }
database: { name: tools, user: tools_user, settings: { fsync: 'off' }, import: { trust_incomplete: true } }
services:
  app: { command: [sleep, "1000"], depends_on: { database: { condition: service_healthy } } }
`,
  });
  undo.use(bulkhead);
  await bulkhead.ready();
  expect((await bulkhead.run('wait', 'api', '--timeout', '30s')).code).toBe(0);
  const token = readFileSync(join(bulkhead.dataDir, 'secrets', 'token'), 'utf8').trim();
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    connection: 'close',
  };
  const url = `http://127.0.0.1:${bulkhead.apiPort}`;
  const get = async (path: string) => (await (await fetch(`${url}${path}`, { headers })).json()) as Answer;
  const post = async (path: string, body: object = {}) => {
    const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: answer.status, body: (await answer.json()) as Answer };
  };
  const over = new AbortController();
  const told: View[] = [];
  undo.defer(() => over.abort());
  void listen<View>(`${url}/events?topics=operations`, headers, over.signal, (view) => told.push(view));
  /** Asks, waits for the end, and hands over the result. */
  const perform = async (path: string, body: object): Promise<Answer> => {
    const begun = await post(path, body);
    expect([200, 202], JSON.stringify(begun.body)).toContain(begun.status);
    await expect
      .poll(async () => (await get(`/operations/${begun.body.id}`)).state, {
        timeout: 100_000,
        interval: 200,
      })
      .not.toBe('running');
    const { state, failure, result } = await get(`/operations/${begun.body.id}`);
    expect([state, failure]).toEqual(['done', undefined]);
    return result;
  };
  const sql = async (text: string) => (await bulkhead.run('db', 'psql', '--', '-XAtc', text)).stdout.trim();

  await sql("CREATE TABLE words (word text); INSERT INTO words VALUES ('kept')");
  const { made } = await perform('/backups', { what: 'daily', level: 'files' });
  const { id } = made[0].backup;
  expect((await get('/backups?kind=dump')).backups).toMatchObject([{ id, kind: 'dump' }]);
  expect(await perform('/backups/verify', { backups: [id], level: 'readable' })).toMatchObject([
    { id, ok: true },
  ]);
  expect(await perform(`/backups/${id}/pin`, {})).toEqual({ id, pinned: true });
  expect(await perform('/backups/prune', { dryRun: true })).toMatchObject({ dryRun: true });
  expect((await get('/database')).database).toMatchObject({ database: 'tools', tables: 1 });

  await sql("INSERT INTO words VALUES ('lost')");
  const wish = { backup: id, replace: true };
  expect(await perform('/backups/restore', { ...wish, dryRun: true })).toMatchObject({ dryRun: true });
  expect(await sql('SELECT count(*) FROM words')).toBe('2');
  expect((await post('/backups/restore', wish)).body.code).toBe('confirm-needed');
  const { restore } = await perform('/backups/restore', { ...wish, confirm: id });
  expect(await sql('SELECT string_agg(word, $$,$$) FROM words')).toBe('kept');
  await perform('/database/rollback', { name: restore.kept, confirm: restore.kept });
  expect(await sql('SELECT count(*) FROM words')).toBe('2');

  const dumps = join(bulkhead.dataDir, 'import');
  mkdirSync(dumps, { recursive: true });
  writeFileSync(join(dumps, 'other.sql'), 'CREATE TABLE others (id int);\n');
  const refused = await post('/database/import', { file: 'other.sql' });
  if (refused.status === 202) {
    await expect
      .poll(async () => (await get(`/operations/${refused.body.id}`)).failure?.detail, { timeout: 30_000 })
      .toMatch(/is there already, with tables/);
  }
  await perform('/database/import', { file: 'other.sql', replace: true, confirm: 'other.sql' });
  expect(await sql("SELECT to_regclass('others')")).toBe('others');

  expect((await get('/health?level=deep')).checks).toContainEqual(
    expect.objectContaining({ what: 'database query', ok: true }),
  );
  expect((await bulkhead.status()).services.find(({ name }) => name === 'api')?.generation).toBe(1);
  expect(told.filter(({ kind }) => kind === 'backup restore').map(({ state }) => state)).toContain('done');
  expect(told.some(({ progress }) => progress !== undefined)).toBe(true);
});

// biome-ignore lint/suspicious/noExplicitAny: whatever it says is compared at once.
type Answer = any;

interface View {
  readonly kind: string;
  readonly state: string;
  readonly progress?: object;
}

/** The frames of a stream, until it ends. */
async function listen<View>(
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal,
  onFrame: (view: View) => void,
): Promise<void> {
  const { body } = await fetch(url, { headers, signal });
  let rest = '';
  try {
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) onFrame(JSON.parse(data));
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
