import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

/** The smallest text that counts as a whole dump. */
const DUMP = `--
-- PostgreSQL database dump
--
CREATE TABLE public.t (a integer);
ALTER TABLE public.t OWNER TO somebody;
COPY public.t (a) FROM stdin;
1
2
\\.
--
-- PostgreSQL database dump complete
--
`;

let volume: TestVolume;
beforeEach(async () => {
  volume = await makeVolume();
});
afterEach(() => volume.remove());

function putDump(name: string, text = DUMP): string {
  const folder = join(volume.dataDir, 'import');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function ledger(): Promise<{ kind: string; file?: string }[]> {
  const rows = await volume.admin<{ kind: string; detail: { file?: string } }>(
    'SELECT kind, detail FROM bulkhead.ledger ORDER BY at',
  );
  return rows.map(({ kind, detail }) => ({ kind, ...(detail.file !== undefined && { file: detail.file }) }));
}

describe('a second boot', () => {
  test('imports nothing again, and says when another dump lies there', async () => {
    const file = putDump('first.sql');
    expect((await volume.boot()).code).toBe(0);
    await volume.query('INSERT INTO t VALUES (3)');
    await volume.stopServer();

    const second = await volume.boot();
    expect(second.code).toBe(0);
    expect(second.notes).toEqual([]);
    expect(await volume.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 3 }]);

    rmSync(file);
    const other = putDump('other.sql', DUMP.replace('1\n2\n', '1\n'));
    const third = await volume.run('setup');
    expect(third.code).toBe(0);
    expect(third.notes.join()).toContain(`${other} is not what this volume was filled from`);
    expect(await ledger()).toEqual([{ kind: 'import', file }]);
  });

  test('does not say so of the same dump after the volume was copied', async () => {
    putDump('first.sql');
    await volume.boot();
    putDump('first.sql');
    expect((await volume.run('setup')).notes).toEqual([]);
  });

  test('law 21: after a kill in the middle of an import begins anew', async () => {
    putDump('slow.sql', DUMP.replace('COPY', 'SELECT pg_sleep(30);\nCOPY'));
    await volume.run('cluster');
    await volume.startServer();
    const killed = await volume.run('setup', {
      onReport: (report, child) => {
        if (report.type === 'note' || report.type === 'progress') child.kill('SIGKILL');
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    // As a whole container dies.
    await volume.stopServer('SIGKILL');
    putDump('slow.sql');
    const again = await volume.boot();
    expect(again.failure).toBeUndefined();
    expect(await volume.databases()).toEqual(['tools']);
    expect(await ledger()).toHaveLength(1);
    expect(await volume.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 2 }]);
  });

  test('law 21: after SIGTERM in the middle of an import begins anew', async () => {
    putDump('slow.sql', DUMP.replace('COPY', 'SELECT pg_sleep(30);\nCOPY'));
    await volume.run('cluster');
    await volume.startServer();
    const stopping = volume.run('setup', { onReport: (_, child) => child.kill('SIGTERM') });
    expect((await stopping).code).toBe(143);
    expect(await volume.stopServer()).toBe(0);
    putDump('slow.sql');
    expect((await volume.boot()).code).toBe(0);
    expect(await volume.databases()).toEqual(['tools']);
  });

  test('case 18: gives the role the password that is configured now, in no log, and takes extra rights', async () => {
    await volume.boot();
    await volume.admin('ALTER ROLE tools_user CREATEDB');
    const plan = { password: 'new “påssword” %' };
    const setup = await volume.run('setup', { plan });
    expect(setup.code).toBe(0);
    expect(setup.stderr).not.toContain('new');
    expect(volume.serverLog).not.toMatch(/påssword|SCRAM-SHA-256\$/);
    const [role] = await volume.admin(
      `SELECT rolcreatedb, rolpassword LIKE 'SCRAM%' AS scram FROM pg_authid WHERE rolname = 'tools_user'`,
    );
    expect(role).toEqual({ rolcreatedb: false, scram: true });
    Object.assign(volume, { plan: { ...volume.plan, ...plan } });
    expect(await volume.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await volume.run('setup', { plan })).stderr).toBe('');
  });

  test.each([
    ['database', { name: 'other' }],
    ['user', { user: 'other' }],
  ])('refuses another %s than the volume has', async (what, plan) => {
    await volume.boot();
    const setup = await volume.run('setup', { plan });
    expect(setup.code).toBe(12);
    expect(setup.failure).toContain(`cannot use ${what} other: this volume's ${what} is tools`);
    expect(await volume.databases()).toEqual(['tools']);
  });

  test('makes a database that was dropped anew, and says so', async () => {
    putDump('first.sql');
    await volume.boot();
    await volume.admin('DROP DATABASE tools');
    const setup = await volume.run('setup');
    expect(setup.code).toBe(0);
    expect(setup.notes.join()).toContain('has been dropped since');
    expect(await ledger()).toHaveLength(2);
  });
});

describe('the choice of a dump', () => {
  test('is refused by name where there are several', async () => {
    putDump('one.sql');
    writeFileSync(join(volume.dataDir, 'current-db-backup.sql'), DUMP);
    const setup = await volume.boot();
    expect(setup.code).toBe(12);
    expect(setup.failure).toContain('cannot choose between 2 dumps: ');
    expect(setup.failure).toContain('one.sql');
    expect(setup.failure).toContain('current-db-backup.sql');
    expect(await volume.databases()).toEqual([]);
  });

  test('passes over the empty folder Docker makes for a file that is not there', async () => {
    mkdirSync(join(volume.dataDir, 'current-db-backup.sql'));
    const setup = await volume.boot();
    expect(setup.code).toBe(0);
    expect(setup.notes.join()).toContain('holds no dump and is passed over');
  });

  test('counts one file under two names once', async () => {
    const file = putDump('one.sql');
    symlinkSync(file, join(volume.dataDir, 'current-db-backup.sql'));
    expect((await volume.boot({ plan: { importFrom: file } })).code).toBe(0);
  });

  test('takes the sample only where there is no other', async () => {
    const sample = join(volume.root, 'sample.sql');
    writeFileSync(sample, DUMP);
    expect((await volume.boot({ plan: { sample } })).code).toBe(0);
    expect(await ledger()).toEqual([{ kind: 'import', file: sample }]);
  });

  test('that the plan names and nobody can find is refused', async () => {
    const setup = await volume.boot({ plan: { importFrom: '/nowhere/dump.sql' } });
    expect(setup.failure).toContain('cannot import /nowhere/dump.sql: there is no such file');
  });
});

describe('names nobody would choose', () => {
  test('are quoted everywhere', async () => {
    const plan = { name: `da'ta "base" ü; --`, user: `us"er' 😀`, password: `p'a"s\\s%:@/ 😀` };
    Object.assign(volume, { plan: { ...volume.plan, ...plan } });
    putDump('dump.sql');
    const setup = await volume.boot();
    expect(setup.failure).toBeUndefined();
    expect(await volume.databases()).toEqual([plan.name]);
    expect(await volume.query('SELECT session_user AS me, count(*)::int AS n FROM t')).toEqual([
      { me: plan.user, n: 2 },
    ]);
  });

  test('are kept apart where PostgreSQL would cut them', async () => {
    const plan = { name: 'ü'.repeat(31) };
    Object.assign(volume, { plan: { ...volume.plan, ...plan } });
    expect((await volume.boot()).code).toBe(0);
    expect((await volume.run('setup')).code).toBe(0);
    expect(await volume.databases()).toEqual([plan.name]);
  });
});

describe('database.init', () => {
  test('runs once, in order, as the application role, and not at all where it fails', async () => {
    const first = join(volume.root, '1.sql');
    const second = join(volume.root, '2.sql');
    writeFileSync(first, 'CREATE TABLE log AS SELECT session_user AS who;');
    writeFileSync(second, 'INSERT INTO log VALUES (1/0);');
    const plan = { init: [first, second] };
    const failed = await volume.boot({ plan });
    expect(failed.code).toBe(12);
    expect(failed.failure).toContain('2.sql: line 1: division by zero');
    expect(await volume.databases()).toEqual([expect.stringMatching(/^tools__new_/)]);
    writeFileSync(second, "INSERT INTO log VALUES ('second')");
    expect((await volume.run('setup', { plan })).code).toBe(0);
    expect((await volume.run('setup', { plan })).code).toBe(0);
    expect(await volume.query('SELECT who FROM log')).toEqual([{ who: 'tools_user' }, { who: 'second' }]);
    expect(await volume.databases()).toEqual(['tools']);
  });
});

describe('`db import` beside a living database', () => {
  test('is refused without replace, and with it keeps what was there', async () => {
    putDump('first.sql');
    await volume.boot();
    await volume.query('INSERT INTO t VALUES (3)');
    const file = join(volume.dataDir, 'new.sql');
    writeFileSync(file, DUMP);
    const refused = await volume.run('import', { input: { file } });
    expect(refused.code).toBe(5);
    expect(refused.failure).toContain('the database tools is there already');
    expect(refused.failure).toContain(`bulkhead db import --replace ${file}`);

    const replaced = await volume.run('import', { input: { file, mode: 'replace' } });
    expect(replaced.failure).toBeUndefined();
    expect(replaced.result).toMatchObject({
      file,
      rows: 2,
      tables: 1,
      kept: expect.stringMatching(/^tools_old_/),
    });
    const kept = (replaced.result as { kept: string }).kept;
    expect(await volume.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 2 }]);
    expect(await volume.query('SELECT count(*)::int AS n FROM t', kept)).toEqual([{ n: 3 }]);
    expect((await volume.run('setup')).code).toBe(0);
  });
});

describe('`db import` into what the first start made', () => {
  test('needs no replace while it is empty, and leaves no empty database behind', async () => {
    await volume.boot();
    const file = join(volume.dataDir, 'new.sql');
    writeFileSync(file, DUMP);
    const imported = await volume.run('import', { input: { file } });
    expect(imported.failure).toBeUndefined();
    expect(imported.result).toMatchObject({ rows: 2, tables: 1 });
    expect(await volume.databases()).toEqual(['tools']);
    const again = await volume.run('import', { input: { file } });
    expect(again.code).toBe(5);
  });

  test('names the file that is not there, and touches nothing', async () => {
    await volume.boot();
    const missing = await volume.run('import', { input: { file: '/nowhere/x.sql', mode: 'replace' } });
    expect(missing.failure).toContain('cannot import /nowhere/x.sql: there is no such file');
    expect(await volume.databases()).toEqual(['tools']);
  });

  test('ends the sessions that are there, and those that come again find the new content', async () => {
    putDump('first.sql');
    await volume.boot();
    await volume.query('INSERT INTO t VALUES (3)');
    const settings = { host: '127.0.0.1', port: volume.plan.port, user: volume.plan.user };
    const pool = new pg.Pool({ ...settings, database: 'tools', password: volume.password() });
    pool.on('error', () => undefined);
    const held = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of held) {
      client.on('error', () => undefined);
      await client.query('BEGIN');
      await client.query('SELECT * FROM t');
    }
    const file = join(volume.dataDir, 'new.sql');
    writeFileSync(file, DUMP);
    // Whoever comes all the time, as an application does, must not keep the renaming from happening.
    let isOver = false;
    const visiting = (async () => {
      while (!isOver) await volume.query('SELECT 1').catch(() => undefined);
    })();
    const replaced = await volume.run('import', { input: { file, mode: 'replace' } });
    isOver = true;
    await visiting;
    expect(replaced.failure).toBeUndefined();
    for (const client of held) {
      await expect(client.query('SELECT 1')).rejects.toThrow();
      client.release(true);
    }
    const { rows } = await pool.query('SELECT count(*)::int AS n FROM t');
    expect(rows).toEqual([{ n: 2 }]);
    await pool.end();
  });
});

test('`db status` tells what is there and why it is so', async () => {
  putDump('first.sql');
  await volume.boot();
  const status = await volume.run('database-status');
  expect(status.result).toMatchObject({
    database: 'tools',
    user: 'tools_user',
    exists: true,
    tables: 1,
    rows: 2,
    ledger: [{ kind: 'import' }],
  });
  const { settings } = status.result as {
    settings: { name: string; value: string; source: string; reason: string }[];
  };
  expect(settings.find(({ name }) => name === 'jit')).toMatchObject({ value: 'off', source: 'tuned' });
  expect(settings.find(({ name }) => name === 'fsync')).toMatchObject({ value: 'off', source: 'plan' });
});

test('asked to work, it answers, writes what is read back, and tells of its disk', async () => {
  await volume.boot();
  for (let round = 0; round < 2; round += 1) {
    expect((await volume.run('check-database')).result).toEqual({
      steps: [
        { what: 'query', ok: true, text: expect.stringMatching(/^answered in \d+ ms$/) },
        { what: 'write', ok: true, text: expect.stringMatching(/^written and read back in \d+ ms$/) },
        { what: 'disk', ok: true, text: expect.stringMatching(/ free$/) },
      ],
    });
  }
  const full = await volume.run('check-database', { backups: { diskFloor: 2 ** 60 } });
  expect(full.result).toMatchObject({ steps: [{ ok: true }, { ok: true }, { what: 'disk', ok: false }] });
  await volume.stopServer();
  const away = await volume.run('check-database');
  expect(away.code).toBe(0);
  expect(away.result).toMatchObject({ steps: [{ what: 'query', ok: false }, { ok: false }, { ok: true }] });
});
