import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ExternalPostgres, makeExternalPostgres, PASSWORD } from '../support/external-postgres.ts';
import { startSupervisor } from '../support/supervisor.ts';

let server: ExternalPostgres;
beforeAll(async () => {
  server = await makeExternalPostgres();
});
afterAll(() => server.remove());

const folders: string[] = [];
beforeEach(async () => {
  if (!server.isRunning) await server.start();
  await server.admin('DROP DATABASE IF EXISTS app WITH (FORCE)');
  await server.admin('CREATE DATABASE app OWNER app');
});
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-scenario-'));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'data', 'import'), { recursive: true });
  chmodSync(join(folder, 'data', 'import'), 0o755);
  folders.push(folder);
  return folder;
}

function planWith(database: string): string {
  return `
version: 1
name: outside
database:
${database}
services:
  app:
    command: [sh, -c, 'echo "url $DATABASE_URL"; exec sleep 1000']
    environment: { DATABASE_URL: "\${DATABASE_URL}" }
    depends_on: { database: { condition: service_healthy } }
`;
}

function bootWith(database: string) {
  return { plan: planWith(database), env: { DATABASE_URL: server.url() }, folder: makeFolder() };
}

const MIGRATES = "  migrate: { command: ['{node}', '{programs}/migrates.mjs'] }".replace(
  '{node}',
  process.execPath,
);

function rowsOf<T extends pg.QueryResultRow>(sql: string): Promise<T[]> {
  return server.admin<T>(sql, 'app');
}

describe('a database that is not ours', () => {
  test('is set up once and used as it is, without a cluster of ours', async () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'schema.sql'), 'BEGIN; CREATE TABLE notes (text text); COMMIT;');
    writeFileSync(join(folder, 'sample.sql'), 'CREATE TABLE sample (n int);');
    const database = `  init: [schema.sql]\n  sample: ${join(folder, 'sample.sql')}`;
    const boot = { plan: planWith(database), env: { DATABASE_URL: server.url() }, folder };
    {
      await using supervisor = await startSupervisor(boot);
      await supervisor.ready();
      const { services } = await supervisor.status();
      expect(services.map(({ name, status }) => [name, status])).toEqual([
        ['database', 'ready'],
        ['setup', 'done'],
        ['app', 'ready'],
        ['cluster', 'disabled'],
      ]);
      await supervisor.says(`url ${server.url().replace(encodeURIComponent(PASSWORD), '********')}`);
      await supervisor.says('the sample is for a database of our own alone');
      expect(await rowsOf(`SELECT to_regclass('sample') AS sample`)).toEqual([{ sample: null }]);
      const { stdout } = await supervisor.run('db', 'status');
      expect(stdout).toContain(`at ${server.host}:${server.port} (not ours), not encrypted`);
      const doctor = (await supervisor.run('doctor')).stdout;
      expect(doctor).toMatch(/PostgreSQL \d+\.\S+ .*at .* lets app into app/);
      expect(doctor).toMatch(/identity +volume .*, its database is elsewhere/);
      expect(doctor).not.toContain('the first start makes one');
      expect(doctor).toContain('text is sorted as when the indexes were built');
      await server.admin(`UPDATE pg_database SET datcollversion = '0' WHERE datname = 'app'`);
      try {
        const drifted = (await supervisor.run('doctor')).stdout;
        expect(drifted).toContain('text is sorted otherwise than when the indexes of app were built');
        expect(drifted).toContain('REINDEX DATABASE app; then ALTER DATABASE app REFRESH COLLATION VERSION');
      } finally {
        await server.admin(`UPDATE pg_database SET datcollversion = NULL WHERE datname = 'app'`);
      }
      expect(stdout).toContain('there is no backup of the database. Make one');
      const backup = await supervisor.run('backup', 'run', 'daily');
      expect([backup.code, backup.stdout]).toEqual([
        0,
        expect.stringContaining('restored into a scratch cluster, every table equal'),
      ]);
      expect(existsSync(join(folder, 'data', 'pg', 'current'))).toBe(false);
      expect(JSON.parse(readFileSync(join(folder, 'data/bulkhead/identity.json'), 'utf8'))).toMatchObject({
        mode: 'external',
      });
    }
    await using again = await startSupervisor(boot);
    await again.ready();
    expect(again.output()).not.toContain('running ');
    expect(await rowsOf('SELECT kind FROM bulkhead.ledger')).toEqual([{ kind: 'create' }]);
  });

  test('is waited for as long as it takes, and the password it waits with is told nowhere', async () => {
    await server.stop();
    await using supervisor = await startSupervisor(bootWith('  {}'));
    const where = `${server.host}:${server.port}`;
    await supervisor.says(`waiting for the database at ${where}: connection refused`);
    const { stdout } = await supervisor.run('status');
    expect(stdout).toContain(`waiting for the database at ${where} connection refused`);
    expect((await supervisor.probe('/readyz')).status).toBe(503);
    const { code, stdout: health } = await supervisor.run('health');
    expect([code, health]).toEqual([1, expect.stringContaining(`waiting for the database at ${where}`)]);
    await server.start();
    await supervisor.ready();
    expect(supervisor.output().split('url ')[0]).not.toContain(encodeURIComponent(PASSWORD));
  });

  test('that refuses the password is asked again until somebody has mended it', async () => {
    const env = { DATABASE_URL: server.url({ password: 'changed later' }) };
    await using supervisor = await startSupervisor({ ...bootWith('  {}'), env });
    await supervisor.says('it does not accept the password of app');
    await supervisor.says('must be percent-encoded');
    await server.admin(`ALTER ROLE app PASSWORD 'changed later'`);
    try {
      await supervisor.ready();
    } finally {
      await server.admin(`ALTER ROLE app PASSWORD '${PASSWORD}'`);
    }
  });

  test('that holds data already gets nothing imported into it', async () => {
    await rowsOf('CREATE TABLE precious (id int); INSERT INTO precious VALUES (1)');
    const folder = makeFolder();
    writeFileSync(join(folder, 'data/import/dump.sql'), DUMP);
    await using supervisor = await startSupervisor({
      plan: planWith('  {}'),
      env: { DATABASE_URL: server.url() },
      folder,
    });
    await supervisor.ready();
    expect(supervisor.output()).toContain('holds data already; nothing is imported');
    expect(await rowsOf('SELECT * FROM precious')).toEqual([{ id: 1 }]);
    expect(await rowsOf(`SELECT to_regclass('tools') AS there`)).toEqual([{ there: null }]);
    const { code, stderr } = await supervisor.run('db', 'import', join(folder, 'data/import/dump.sql'));
    expect([code, stderr]).toEqual([5, expect.stringContaining('has tables already')]);
  });

  test('restarted in the middle of an import has the whole dump afterwards, once', async () => {
    const folder = makeFolder();
    writeFileSync(join(folder, 'data/import/dump.sql'), DUMP);
    const holder = new pg.Client({ connectionString: server.url() });
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query('SELECT pg_advisory_lock(42)');
    await using supervisor = await startSupervisor({
      plan: planWith('  {}'),
      env: { DATABASE_URL: server.url() },
      folder,
    });
    while ((await rowsOf(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)).length === 0);
    await server.stop('SIGQUIT');
    await supervisor.says('nothing was changed, beginning again');
    await server.start();
    await supervisor.ready();
    expect(await rowsOf('SELECT count(*)::int AS rows FROM tools')).toEqual([{ rows: 2 }]);
    expect(await rowsOf('SELECT kind, detail->$$rows$$ AS rows FROM bulkhead.ledger')).toEqual([
      { kind: 'import', rows: 2 },
    ]);
  });

  test('is migrated by one container at a time', async () => {
    await using one = await startSupervisor(bootWith(MIGRATES));
    await using two = await startSupervisor(bootWith(MIGRATES));
    await using three = await startSupervisor(bootWith(MIGRATES));
    await Promise.all([one.ready(), two.ready(), three.ready()]);
    const outputs = [one, two, three].map((each) => each.output());
    expect(outputs.filter((text) => text.includes('waiting for another container')).length).toBeGreaterThan(
      0,
    );
    const overlaps = `SELECT count(*)::int AS n FROM runs a JOIN runs b ON a.id < b.id AND a.ended > b.begun`;
    expect(await rowsOf(overlaps)).toEqual([{ n: 0 }]);
    expect(await rowsOf('SELECT count(*)::int AS n FROM runs')).toEqual([{ n: 3 }]);
  });

  test('keeps nothing of a migration that took too long: the next try gets its locks', async () => {
    const folder = makeFolder();
    chmodSync(folder, 0o777);
    const migrate = `  migrate:
    command: ['${process.execPath}', '{programs}/migrates.mjs', '{folder}/hung']
    timeout: 2s
    retries: 1`;
    await using supervisor = await startSupervisor({
      plan: planWith(migrate),
      env: { DATABASE_URL: server.url() },
      folder,
    });
    await supervisor.ready();
    expect(supervisor.output()).toContain(
      'the migration took longer than 2.0 s and was ended, with its sessions',
    );
    expect(await rowsOf('SELECT count(*)::int AS n FROM runs')).toEqual([{ n: 1 }]);
  });
});

const DUMP = `--
-- PostgreSQL database dump
--
SET client_encoding = 'UTF8';
DROP TABLE public.gone;
CREATE TABLE public.tools (id int);
COPY public.tools (id) FROM stdin;
1
2
\\.

SELECT pg_catalog.pg_advisory_lock(42);
--
-- PostgreSQL database dump complete
--
`;

describe('a volume whose database changes place', () => {
  const identity = (mode: string) =>
    JSON.stringify({ layout: 1, installId: 'x', mode, createdAt: '2026-01-01T00:00:00Z', everHadData: true });

  test('case 19: is refused where DATABASE_URL lost its name, and nothing is created', async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'data/bulkhead'));
    writeFileSync(join(folder, 'data/bulkhead/identity.json'), identity('external'));
    await using supervisor = await startSupervisor({
      plan: planWith('  {}'),
      env: { DATABSE_URL: server.url() },
      folder,
    });
    expect(await supervisor.finished).toEqual({ code: 13, signal: null });
    expect(supervisor.output()).toContain('DATABASE_URL names no other host');
    expect(supervisor.output()).toContain('BULKHEAD_DATABASE_MODE=embedded');
    expect(existsSync(join(folder, 'data/pg'))).toBe(false);
    expect(existsSync(join(folder, 'data/logs'))).toBe(false);
  });

  test('is refused where DATABASE_URL appeared, until somebody says that it is meant', async () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'data/bulkhead'));
    writeFileSync(join(folder, 'data/bulkhead/identity.json'), identity('embedded'));
    const boot = { plan: planWith('  {}'), env: { DATABASE_URL: server.url() }, folder };
    {
      await using supervisor = await startSupervisor(boot);
      expect(await supervisor.finished).toEqual({ code: 13, signal: null });
      expect(supervisor.output()).toContain('is in the volume itself');
      expect(await server.admin('SELECT 1 FROM pg_namespace WHERE nspname = $$bulkhead$$', 'app')).toEqual(
        [],
      );
    }
    await using told = await startSupervisor({
      ...boot,
      env: { ...boot.env, BULKHEAD_DATABASE_MODE: 'external' },
    });
    await told.ready();
    expect(JSON.parse(readFileSync(join(folder, 'data/bulkhead/identity.json'), 'utf8'))).toMatchObject({
      installId: 'x',
      mode: 'external',
      everHadData: true,
    });
  });
});
