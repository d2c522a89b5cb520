import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

const dumpOf = (rows: string, more = ''): string => `--
-- PostgreSQL database dump
--
CREATE TABLE public.t (a integer);
COPY public.t (a) FROM stdin;
${rows}
\\.
${more}
--
-- PostgreSQL database dump complete
--
`;

let volume: TestVolume;
beforeEach(async () => {
  volume = await makeVolume();
});
afterEach(() => volume.remove());

function put(text: string): string {
  mkdirSync(join(volume.dataDir, 'import'), { recursive: true });
  const path = join(volume.dataDir, 'import', 'dump.sql');
  writeFileSync(path, text);
  return path;
}

const sum = (database?: string): Promise<unknown[]> =>
  volume.query('SELECT sum(a)::int AS sum FROM t', database);

test('case 9: the same dump again is nothing to do; a changed one a word by default, and with replace the new database', async () => {
  const file = put(dumpOf('1\n2'));
  expect((await volume.boot()).failure).toBeUndefined();
  utimesSync(file, 1, 1);
  expect((await volume.run('setup')).notes).toEqual([]);
  put(dumpOf('10\n20'));
  const once = await volume.run('setup');
  expect([once.code, once.notes.length]).toEqual([0, 1]);
  expect(once.notes[0]).toContain('is not what this volume was filled from, and is not imported');
  expect(await sum()).toEqual([{ sum: 3 }]);

  const plan = { importMode: 'replace' } as const;
  const replaced = await volume.run('setup', { plan });
  expect(replaced.failure).toBeUndefined();
  expect(replaced.notes.join()).toContain(
    'has replaced the database tools, as the plan says; what was there is now tools_old_',
  );
  expect(await sum()).toEqual([{ sum: 30 }]);
  const kept = (await volume.databases()).find((name) => name.startsWith('tools_old_'));
  expect(await sum(kept)).toEqual([{ sum: 3 }]);

  // Neither the new one nor the first one is imported a second time, whatever their times say.
  utimesSync(file, 2, 2);
  expect((await volume.run('setup', { plan })).notes).toEqual([]);
  put(dumpOf('1\n2'));
  expect((await volume.run('setup', { plan })).notes).toEqual([]);
  expect(await sum()).toEqual([{ sum: 30 }]);

  // What cannot become whole replaces nothing.
  put(dumpOf('7').slice(0, -30));
  const cut = await volume.run('setup', { plan });
  expect(cut.code).toBe(12);
  expect(await sum()).toEqual([{ sum: 30 }]);
  rmSync(file);
});

test('a dump that lay there when the database was restored does not take its place, and a newer one does', async () => {
  const plan = { importMode: 'replace' } as const;
  await volume.boot({ plan });
  await volume.query('CREATE TABLE t AS SELECT 5 AS a');
  const file = put(dumpOf('1\n2'));
  // As a restore leaves it in a new cluster: the ledger knows of no import.
  await volume.admin(`
    DELETE FROM bulkhead.ledger;
    INSERT INTO bulkhead.ledger (id, kind, tool, at, detail) VALUES
      ('restore:tools', 'restore', 'bulkhead', now() + '1 s', '{"database": "tools", "user": "tools_user"}')`);
  const passed = await volume.run('setup', { plan });
  expect([passed.failure, passed.notes]).toEqual([
    undefined,
    [expect.stringContaining(`${file} lay there at the last restore of the database tools, or is older`)],
  ]);
  expect(await sum()).toEqual([{ sum: 5 }]);
  const newer = join(volume.dataDir, 'import', 'newer.sql');
  writeFileSync(newer, dumpOf('10'));
  const later = Date.now() / 1000 + 3600;
  utimesSync(newer, later, later);
  expect((await volume.run('setup', { plan })).failure).toBeUndefined();
  expect(await sum()).toEqual([{ sum: 10 }]);
  // Nor after that one.
  expect((await volume.run('setup', { plan })).failure).toBeUndefined();
  expect(await sum()).toEqual([{ sum: 10 }]);
});

test('nor does one that lay there then and has a newer time since: it is known by its content', async () => {
  const plan = { importMode: 'replace' } as const;
  await volume.boot({ plan });
  const file = put(dumpOf('1\n2'));
  const wanted = join(volume.dataDir, 'wanted.sql');
  writeFileSync(wanted, dumpOf('5'));
  const restored = await volume.run('restore', { plan, input: { backup: wanted, replace: '1' } });
  expect(restored.failure).toBeUndefined();
  const later = Date.now() / 1000 + 3600;
  utimesSync(file, later, later);
  const passed = await volume.run('setup', { plan });
  expect(passed.notes.join()).toContain(`${file} lay there at the last restore`);
  expect(await sum()).toEqual([{ sum: 5 }]);
  put(dumpOf('3\n4'));
  utimesSync(file, later, later);
  expect((await volume.run('setup', { plan })).failure).toBeUndefined();
  expect(await sum()).toEqual([{ sum: 7 }]);
});

test('what needs a superuser is refused, and runs as one where the plan trusts the dump; the log names it', async () => {
  const asPlan = { importTrusted: true } as const;
  put(
    dumpOf(
      '1',
      `CREATE EXTENSION file_fdw;
CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
ALTER FUNCTION public.f() LEAKPROOF;
COPY public.t FROM PROGRAM 'echo 41';`,
    ),
  );
  const refused = await volume.boot();
  expect(refused.failure).toContain('COPY … PROGRAM runs a command on this machine');
  const trusted = await volume.run('setup', { plan: asPlan });
  expect(trusted.failure).toContain('t has 2 rows and the dump 1');
  put(
    dumpOf(
      '1',
      `CREATE EXTENSION file_fdw;
CREATE TABLE public.u (a int);
CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
ALTER FUNCTION public.f() LEAKPROOF;
COPY public.u FROM PROGRAM 'echo 41';`,
    ),
  );
  const again = await volume.run('setup', { plan: asPlan });
  expect(again.failure).toBeUndefined();
  expect(again.stderr).toContain('runs as the superuser: create extension file_fdw');
  expect(again.stderr).toContain('runs as the superuser: alter function public . f');
  expect(again.stderr).toMatch(/line 12 of .* runs as the superuser: copy public . u from \(COPY … PROGRAM/);
  expect(await volume.query('SELECT a, tableowner FROM u, pg_tables WHERE tablename = $$u$$')).toEqual([
    { a: 41, tableowner: 'tools_user' },
  ]);
});

test('extensions the plan names are made beforehand, in a new database too, and those of a dump are then left out', async () => {
  const plan = { extensions: ['file_fdw', 'citext'] };
  put(
    dumpOf(
      '1',
      `CREATE SCHEMA ext;
CREATE EXTENSION IF NOT EXISTS file_fdw WITH SCHEMA public;
COMMENT ON EXTENSION file_fdw IS 'reads files';
CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA ext;
CREATE TABLE public.c (name ext.citext);`,
    ),
  );
  const setup = await volume.boot({ plan });
  expect(setup.failure).toBeUndefined();
  expect(setup.stderr).toContain('made by the superuser, as the plan allows: file_fdw, citext');
  expect(setup.stderr).toContain(
    'left out of the dump: 1 × CREATE EXTENSION file_fdw, which is there already',
  );
  const extensions =
    'SELECT extname, extnamespace::regnamespace::text AS schema FROM pg_extension ORDER BY 1';
  expect(await volume.query(extensions)).toMatchObject([
    { extname: 'citext', schema: 'ext' },
    { extname: 'file_fdw', schema: 'public' },
    { extname: 'plpgsql' },
  ]);
  rmSync(join(volume.dataDir, 'import', 'dump.sql'));
  await volume.admin('DROP DATABASE tools');
  await volume.run('setup', { plan: { extensions: ['file_fdw'] } });
  expect((await volume.query(extensions)).map((row) => row.extname)).toEqual(['file_fdw', 'plpgsql']);
  // What is added to the plan later, the next boot makes.
  await volume.run('setup', { plan });
  expect(await volume.query(extensions)).toHaveLength(3);
  const unknown = await volume.run('setup', { plan: { extensions: ['no_such'] } });
  expect(unknown.failure).toContain('this PostgreSQL does not have no_such');
});

test('SQL without a trailer is imported only where the plan says so, and an open transaction never', async () => {
  put('BEGIN; CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); COMMIT;');
  expect((await volume.boot()).failure).toContain('nothing tells whether it is whole');
  const plan = { importTrustsIncomplete: true } as const;
  put('CREATE TABLE t (a int); BEGIN; INSERT INTO t VALUES (1);');
  expect((await volume.run('setup', { plan })).failure).toContain(
    'it begins a transaction and does not end it',
  );
  put("CREATE TABLE t (a int); INSERT INTO t SELECT length('cut");
  expect((await volume.run('setup', { plan })).failure).toContain('cut off inside a string');
  put('BEGIN; CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2); COMMIT;');
  expect((await volume.run('setup', { plan })).failure).toBeUndefined();
  expect(await sum()).toEqual([{ sum: 3 }]);
});
