import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { findBinaries } from '../../src/postgres/binaries.ts';
import type { TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

/** A server as people have it: its superuser is called postgres, and its roles have rights of many kinds. */
const ROLES = `
  CREATE ROLE postgres SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS LOGIN PASSWORD 'of postgres';
  CREATE ROLE readers NOLOGIN;
  CREATE ROLE "Wiki's" LOGIN PASSWORD 'of the wiki' CONNECTION LIMIT 7 VALID UNTIL '2099-01-02 03:04:05+00';
  CREATE ROLE tools_user LOGIN PASSWORD 'old';
  COMMENT ON ROLE readers IS 'may read; nothing more''s needed';
  GRANT readers TO "Wiki's" WITH ADMIN OPTION;
  GRANT pg_execute_server_program TO "Wiki's";
  ALTER ROLE "Wiki's" SET search_path TO 'wiki', 'public';
  ALTER ROLE "Wiki's" SET "app.tenant" TO 'it''s me';
  ALTER ROLE "Wiki's" SET log_statement TO 'none';
  CREATE DATABASE tools OWNER postgres;
  CREATE DATABASE "wiki-2" OWNER "Wiki's";
  ALTER ROLE "Wiki's" IN DATABASE "wiki-2" SET statement_timeout TO '7s'`;
const TOOLS = `
  CREATE TABLE tools (id int PRIMARY KEY, name text);
  INSERT INTO tools SELECT n, 'tool ' || n FROM generate_series(1, 1000) n;
  ALTER TABLE tools OWNER TO postgres;
  GRANT SELECT ON tools TO readers`;
const WIKI = `
  CREATE SCHEMA wiki AUTHORIZATION "Wiki's"; SET ROLE "Wiki's";
  CREATE TABLE wiki.pages (title text); INSERT INTO wiki.pages VALUES ('one'), ('two');
  CREATE FUNCTION wiki.count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM wiki.pages'`;

let source: TestVolume;
let folder: string;
let dump: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-cluster-'));
  source = await makeVolume();
  await source.run('cluster');
  await source.startServer();
  for (const sql of ROLES.split(';\n')) await source.admin(sql);
  await source.admin(TOOLS, 'tools');
  await source.admin(WIKI, 'wiki-2');
  const { bin } = findBinaries({ libraryDir: folder });
  const socket = join(source.runDir, 'pg');
  dump = execFileSync(
    join(bin, 'pg_dumpall'),
    ['-h', socket, '-p', String(source.plan.port), '-U', 'bulkhead', '-l', 'postgres'],
    { encoding: 'utf8', maxBuffer: 64 * 1024 ** 2 },
  );
});
afterAll(async () => {
  await source.remove();
  rmSync(folder, { recursive: true, force: true });
});

let volume: TestVolume;
beforeEach(async () => {
  volume = await makeVolume();
});
afterEach(() => volume.remove());

function putDump(text = dump): string {
  mkdirSync(join(volume.dataDir, 'import'), { recursive: true });
  const path = join(volume.dataDir, 'import', 'all.sql');
  writeFileSync(path, text);
  return path;
}

const roles = (): Promise<{ rolname: string }[]> =>
  volume.admin(
    `SELECT rolname, rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls AS elevated, rolcanlogin,
            rolconnlimit, rolvaliduntil, rolpassword, shobj_description(oid, 'pg_authid') AS comment
       FROM pg_authid WHERE rolname !~ '^(pg_|bulkhead$)' ORDER BY rolname`,
  );

async function login(user: string, password: string, database: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ host: '127.0.0.1', port: volume.plan.port, user, password, database });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

test('case 8: a dump of pg_dumpall with CREATE ROLE postgres brings its databases, roles and password hashes', async () => {
  putDump();
  const setup = await volume.boot();
  expect(setup.failure).toBeUndefined();
  expect(await volume.databases()).toEqual(['tools', 'wiki-2']);
  expect(
    await volume.query(
      'SELECT count(*)::int AS n, min(tableowner) AS owner FROM tools, pg_tables WHERE tablename = $$tools$$',
    ),
  ).toEqual([{ n: 1000, owner: 'tools_user' }]);

  // Whoever had a password logs in with it, as what they were, and as nothing more.
  expect(
    await login('postgres', 'of postgres', 'wiki-2', 'SELECT current_setting($$is_superuser$$) AS super'),
  ).toEqual([{ super: 'off' }]);
  const session = `SELECT wiki.count()::int AS pages, current_setting('app.tenant') AS tenant,
    current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout,
    pg_has_role('readers', 'member') AS reader, pg_has_role('pg_execute_server_program', 'member') AS dangerous,
    (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()) AS owner`;
  expect(await login("Wiki's", 'of the wiki', 'wiki-2', session)).toEqual([
    {
      pages: 2,
      tenant: "it's me",
      path: 'wiki, public',
      timeout: '7s',
      reader: true,
      dangerous: false,
      owner: "Wiki's",
    },
  ]);
  const hashes = await source.admin(
    `SELECT rolname, rolpassword FROM pg_authid WHERE rolname IN ('postgres', 'Wiki''s') ORDER BY 1`,
  );
  const found = await roles();
  expect(found).toMatchObject([
    { ...hashes[0], elevated: false, rolconnlimit: 7, rolvaliduntil: new Date('2099-01-02T03:04:05Z') },
    { ...hashes[1], elevated: false, comment: null },
    { rolname: 'readers', rolcanlogin: false, comment: "may read; nothing more's needed" },
    { rolname: 'tools_user', elevated: false },
  ]);
  expect(found).toHaveLength(4);
  expect(
    await login("Wiki's", 'of the wiki', 'tools', 'SELECT count(*)::int AS n FROM public.tools'),
  ).toEqual([{ n: 1000 }]);
  const notes = setup.notes.join('\n');
  expect(notes).toContain(
    'without the rights of a superuser: postgres (SUPERUSER, CREATEROLE, CREATEDB, REPLICATION, BYPASSRLS)',
  );
  expect(notes).toContain("Wiki's is imported without the rights of pg_execute_server_program");
  expect(notes).toContain('imported besides tools: wiki-2');
  expect((await volume.run('setup')).notes).toEqual([]);
});

test('a cluster whose last database fails leaves none of it, no role either', async () => {
  putDump(dump.replace(/(COPY wiki\.pages .*\n)one\n/, '$1one\ttoo\tmany\n'));
  const setup = await volume.boot();
  expect(setup.code).toBe(12);
  expect(setup.failure).toContain('wiki.pages: extra data after last expected column');
  expect(await volume.databases()).toEqual([]);
  expect((await roles()).map(({ rolname }) => rolname)).toEqual(['tools_user']);
  putDump();
  expect((await volume.run('setup')).failure).toBeUndefined();
  expect(await volume.databases()).toEqual(['tools', 'wiki-2']);
});

test('killed in the middle of a cluster, the next boot makes all of it', async () => {
  putDump(dump.replace(/(COPY wiki\.pages )/, 'SELECT pg_sleep(30);\n$1'));
  await volume.run('cluster');
  await volume.startServer();
  const killed = await volume.run('setup', {
    onReport: (report, child) => {
      if (report.type === 'progress' && report.progress.what.startsWith('verifying')) child.kill('SIGKILL');
    },
  });
  expect(killed.signal).toBe('SIGKILL');
  await volume.stopServer('SIGKILL');
  putDump();
  expect((await volume.boot()).failure).toBeUndefined();
  expect(await volume.databases()).toEqual(['tools', 'wiki-2']);
  expect((await roles()).map(({ rolname }) => rolname)).toEqual([
    "Wiki's",
    'postgres',
    'readers',
    'tools_user',
  ]);
});

test('beside a living database it needs replace, and keeps what was there', async () => {
  const file = join(volume.dataDir, 'all.sql');
  await volume.boot();
  writeFileSync(file, dump);
  await volume.query('CREATE TABLE mine (a int)');
  expect((await volume.run('import', { input: { file } })).code).toBe(5);
  // A superuser of this server, as an adopted one brings it, is not lent to whom the dump names.
  await volume.admin('CREATE ROLE chief SUPERUSER');
  const lending = dump.replace(/^GRANT readers /m, 'GRANT chief TO "Wiki\'s";\n$&');
  expect(lending).not.toBe(dump);
  writeFileSync(file, lending);
  const first = await volume.run('import', { input: { file, mode: 'replace' } });
  expect(first.failure).toBeUndefined();
  expect(first.notes.join('\n')).toContain("Wiki's is imported without the rights of chief");
  const members = `SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid WHERE m.member = '"Wiki''s"'::regrole`;
  expect(await volume.admin(members)).toEqual([{ rolname: 'readers' }]);
  writeFileSync(file, dump);
  const second = await volume.run('import', { input: { file, mode: 'replace' } });
  expect(second.failure).toBeUndefined();
  expect(second.notes.join('\n')).toContain('were there already, and are left as they are');
  const stamp = /^(.+)_old_\d{8}T\d{6}$/;
  expect((await volume.databases()).map((name) => name.replace(stamp, '$1 kept')).sort()).toEqual(
    ['tools', 'tools kept', 'tools kept', 'wiki-2', 'wiki-2 kept'].sort(),
  );
});

test('what pg_dumpall does not write, what is cut, and what names no database of ours is refused', async () => {
  const without = (from: string, to: string): string => dump.replace(from, to);
  await volume.run('cluster');
  await volume.startServer();
  for (const [text, said] of [
    [
      without('CREATE ROLE readers', '\\! touch /tmp/bulkhead-was-here\nCREATE ROLE readers'),
      'touch /tmp/bulkhead-was-here … is nothing pg_dumpall writes',
    ],
    [
      without('CREATE ROLE readers', 'CREATE FUNCTION f() RETURNS int;\nCREATE ROLE readers'),
      'create function f returns … is nothing pg_dumpall writes',
    ],
    [
      dump.slice(0, dump.indexOf('-- PostgreSQL database cluster dump complete')),
      'cut off before its last line, "PostgreSQL database cluster dump complete"',
    ],
    [
      dump.replaceAll(/\btools\b/g, 'gadgets'),
      'none of its databases is called tools, and it has 2 with something in them',
    ],
  ] as const) {
    putDump(text);
    expect((await volume.run('setup')).failure).toContain(said);
    expect(await volume.databases()).toEqual([]);
  }
});
