import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findInstallations, findTool } from '../../src/postgres/binaries.ts';
import { makeEmptyVolume, type TestVolume } from '../support/postgres.ts';

const installations = findInstallations('/tmp');
const newest = installations[0];
const older = installations.find((each) => each.major < (newest?.major ?? 0) && findTool(each, 'pg_dump'));

/** Things a move between majors could lose: owners, rights, settings, passwords, sequences, large objects, code. */
const CONTENT = `
  CREATE TABLE tools (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, at timestamptz DEFAULT now());
  INSERT INTO tools (name) SELECT 'tool ' || i FROM generate_series(1, 5000) i;
  CREATE FUNCTION is_well(t text) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN IF current_user <> session_user THEN RAISE 'run by %', current_user; END IF; RETURN t <> ''; END $$;
  CREATE TABLE checked (t text CHECK (is_well(t)));
  INSERT INTO checked VALUES ('a'), ('b');
  CREATE MATERIALIZED VIEW counts AS SELECT count(*) FROM tools;
  CREATE VIEW newest AS SELECT max(id) FROM tools;
  CREATE TABLE p (n int) PARTITION BY RANGE (n); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
  INSERT INTO p VALUES (1), (2);
  CREATE TABLE json (id serial, amount int, json text); INSERT INTO json VALUES (1, 2, 'a word of SQL since 16');
  SELECT lo_from_bytea(4711, 'large'); COMMENT ON TABLE tools IS 'commented'`;

let volume: TestVolume;

describe.skipIf(!older)(`an upgrade from PostgreSQL ${older?.major} to ${newest?.major}`, () => {
  beforeAll(async () => {
    volume = await makeEmptyVolume();
    expect((await volume.boot()).failure).toBeUndefined();
    await volume.query(CONTENT);
    await volume.admin(`CREATE ROLE reader LOGIN PASSWORD 'secret' CONNECTION LIMIT 7; CREATE ROLE team; GRANT team TO reader;
      ALTER DATABASE tools SET work_mem = '7MB'; ALTER ROLE reader SET statement_timeout = '1min';
      GRANT CONNECT ON DATABASE tools TO reader`);
    await volume.admin('CREATE DATABASE second OWNER team');
    await volume.admin(
      `CREATE EXTENSION pg_trgm; CREATE SCHEMA closed; CREATE TABLE closed.hidden AS SELECT 1 AS n;
      ALTER TABLE closed.hidden OWNER TO reader; GRANT SELECT ON tools TO reader`,
      'tools',
    );
    await volume.stopServer();
  }, 60_000);
  afterAll(() => volume.remove());

  test('says what it would do, and refuses without a backup', async () => {
    const dry = await volume.run('upgrade', { input: { dryRun: '1' } });
    expect(dry.failure).toBeUndefined();
    expect(dry.result).toMatchObject({ from: older?.major, to: newest?.major });
    expect(existsSync(join(volume.dataDir, 'pg', 'op.json'))).toBe(false);
    const refused = await volume.run('upgrade');
    expect(refused.code).toBe(5);
    expect(refused.failure).toContain('no verified backup of this cluster of the last day');
  });

  test('case 20: moves everything at the next start, keeps the old cluster, and goes back', async () => {
    // Without a supervisor, as root: the database's user has to read what is asked for.
    const asked = await volume.run('upgrade', { input: { withoutBackup: '1' }, asRoot: true });
    expect(asked.failure).toBeUndefined();
    const pgFolder = join(volume.dataDir, 'pg');
    for (const name of ['op.json', 'op.lock'])
      expect(statSync(join(pgFolder, name)).uid).toBe(statSync(pgFolder).uid);
    const cluster = await volume.run('cluster');
    expect(cluster.failure).toBeUndefined();
    expect(cluster.notes.join()).toContain(
      `upgrade from PostgreSQL ${older?.major} to ${newest?.major} is in force`,
    );
    expect(readlinkSync(join(volume.dataDir, 'pg', 'current'))).toBe(`${newest?.major}/main`);
    expect(readdirSync(join(volume.dataDir, 'pg')).filter((name) => /^op\.json|stage/.test(name))).toEqual(
      [],
    );
    await volume.startServer();
    expect((await volume.run('setup')).failure).toBeUndefined();
    expect(await volume.admin(`SELECT current_setting('server_version_num')::int / 10000 AS major`)).toEqual([
      { major: newest?.major },
    ]);
    expect(await volume.query('SELECT count(*)::int AS n, max(id)::int AS id FROM tools')).toEqual([
      { n: 5000, id: 5000 },
    ]);
    expect(await volume.query(`INSERT INTO tools (name) VALUES ('new') RETURNING id::int`)).toEqual([
      { id: 5001 },
    ]);
    expect(
      await volume.query(
        "SELECT tableowner FROM pg_tables WHERE tablename IN ('tools', 'hidden') ORDER BY 1",
      ),
    ).toEqual([{ tableowner: 'reader' }, { tableowner: 'tools_user' }]);
    expect(await volume.query('SELECT count::int FROM counts')).toEqual([{ count: 5000 }]);
    expect(await volume.query('SHOW work_mem')).toEqual([{ work_mem: '7MB' }]);
    expect(
      await volume.admin(
        `SELECT rolcanlogin, rolconnlimit, rolpassword LIKE 'SCRAM%' AS scram, rolvaliduntil,
        (SELECT setconfig FROM pg_db_role_setting WHERE setrole = a.oid) AS rolconfig,
        pg_has_role(oid, 'team', 'member') AS member, has_table_privilege(oid, 'tools', 'SELECT') AS reads,
        has_schema_privilege(oid, 'closed', 'USAGE') AS enters FROM pg_authid a WHERE rolname = 'reader'`,
        'tools',
      ),
    ).toEqual([
      {
        rolcanlogin: true,
        rolconnlimit: 7,
        scram: true,
        rolvaliduntil: null,
        rolconfig: ['statement_timeout=1min'],
        member: true,
        reads: true,
        enters: false,
      },
    ]);
    expect(await volume.databases()).toEqual(['second', 'tools']);
    expect(await volume.admin('SELECT kind FROM bulkhead.ledger ORDER BY at')).toMatchObject([
      { kind: 'create' },
      { kind: 'upgrade' },
    ]);
    await volume.stopServer();

    const back = await volume.run('rollback');
    expect(back.result).toMatchObject({ major: older?.major, why: 'upgrade' });
    expect((await volume.run('cluster')).failure).toBeUndefined();
    expect(readlinkSync(join(volume.dataDir, 'pg', 'current'))).toBe(`${older?.major}/main`);
    await volume.startServer();
    expect(await volume.query('SELECT max(id)::int AS id FROM tools')).toEqual([{ id: 5000 }]);
    await volume.stopServer();
    expect(JSON.parse(readFileSync(join(volume.dataDir, 'bulkhead', 'identity.json'), 'utf8'))).toMatchObject(
      { pgMajor: older?.major },
    );
  }, 60_000);
});
