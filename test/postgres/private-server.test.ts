import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBinaries, findInstallations } from '../../src/postgres/binaries.ts';
import type { Session } from '../../src/postgres/connect.ts';
import { compareFingerprints, fingerprintTables } from '../../src/postgres/fingerprint.ts';
import { makeOwned, runInitdb } from '../../src/postgres/initdb.ts';
import { type PrivateServer, startPrivateServer } from '../../src/postgres/private-server.ts';
import { rowHash } from '../../src/postgres/row-hash.ts';
import { canUsePeer, databaseUser } from '../../src/postgres/system-user.ts';

const user = databaseUser('postgres');
const root = join(mkdtempSync(join(tmpdir(), 'bh-ps-')), 'd');
const folder = join(root, 'main');
const binaries = findBinaries({ libraryDir: join(root, 'lib') });
const superuserPassword = canUsePeer(user) ? undefined : 'of-this-test';
const stop = new AbortController();
const options = { folder, binaries, user, parent: root, superuserPassword, signal: stop.signal } as const;
let server: PrivateServer;

beforeAll(async () => {
  rmSync(join(root, '..'), { recursive: true, force: true });
  makeOwned(join(root, '..'), user);
  makeOwned(root, user);
  await runInitdb({ binaries, user, superuserPassword, signal: stop.signal, stage: root, data: folder });
  server = await startPrivateServer({ ...options, care: 'scratch', roles: ['reader'] });
});

afterAll(async () => {
  await server.stop();
  rmSync(join(root, '..'), { recursive: true, force: true });
});

async function inDatabase<T>(name: string, work: (session: Session) => Promise<T>): Promise<T> {
  const session = await server.connect(name);
  try {
    return await work(session);
  } finally {
    await session.end();
  }
}

describe('a private server', () => {
  test('is there for the superuser and the roles it was told, and listens on no address', async () => {
    const listens = await inDatabase('postgres', async (session) => {
      await session.query(
        `CREATE ROLE reader LOGIN PASSWORD 'reader'; CREATE ROLE other LOGIN PASSWORD 'other'`,
      );
      return (await session.query('SHOW listen_addresses')).rows[0];
    });
    expect(listens).toEqual({ listen_addresses: '' });
    const reader = await server.connect('postgres', { user: 'reader', password: 'reader' });
    expect((await reader.query('SELECT session_user::text AS who')).rows).toEqual([{ who: 'reader' }]);
    await reader.end();
    if (canUsePeer(user)) {
      await expect(server.connect('postgres', { user: 'other', password: 'other' })).rejects.toThrow(
        /cannot connect/,
      );
    }
  });

  test('says in its own words why it does not start, and leaves no folder', async () => {
    const before = readdirSync(root);
    await expect(startPrivateServer({ ...options, care: 'durable' })).rejects.toThrow(
      /cannot start PostgreSQL .*lock file "postmaster.pid" already exists/,
    );
    await expect(
      startPrivateServer({ ...options, folder: join(root, 'nothing'), care: 'durable' }),
    ).rejects.toThrow(/could not access directory/);
    expect(readdirSync(root)).toEqual(before);
  });

  test('goes away when the work is given up', async () => {
    const second = join(root, 'second');
    await runInitdb({ binaries, user, superuserPassword, signal: stop.signal, stage: root, data: second });
    const work = new AbortController();
    const lines: string[] = [];
    let tellEnd: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => {
      tellEnd = resolve;
    });
    const onLine = (line: string): void => {
      lines.push(line);
      if (line.includes('database system is shut down')) tellEnd();
    };
    const started = await startPrivateServer({
      ...options,
      folder: second,
      care: 'durable',
      signal: work.signal,
      onLine,
    });
    work.abort();
    await ended;
    await started.stop();
    expect(existsSync(started.socketDir)).toBe(false);
    expect(existsSync(join(second, 'postmaster.pid'))).toBe(false);
  });
});

describe('fingerprints', () => {
  test('are equal for equal rows in any order, and tell what differs', async () => {
    const fill = (order: string): string =>
      `SET search_path = public; CREATE SCHEMA "odd one"; CREATE TABLE "odd one".t (n int, at timestamptz, f float8, b bytea);
       INSERT INTO "odd one".t SELECT i, to_timestamp(i), i / 3.0, decode(md5(i::text), 'hex')
         FROM generate_series(1, 500) i ORDER BY i ${order};
       CREATE TABLE p (n int) PARTITION BY RANGE (n); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
       INSERT INTO p VALUES (1), (2); SELECT lo_from_bytea(4711, 'large')`;
    await inDatabase('postgres', (session) => session.query('CREATE DATABASE a'));
    await inDatabase('postgres', (session) => session.query('CREATE DATABASE b'));
    await inDatabase('a', (session) => session.query(fill('ASC')));
    await inDatabase('b', (session) => session.query(fill('DESC')));
    const a = await inDatabase('a', (session) => fingerprintTables(session));
    const sameElsewhere = await inDatabase('b', async (session) => {
      await session.query(
        "SET timezone = 'Asia/Tokyo'; SET extra_float_digits = -5; SET bytea_output = 'escape'",
      );
      return fingerprintTables(session);
    });
    expect(a.map(({ table, rows }) => [table, rows])).toEqual([
      ['"odd one".t', 500],
      ['public.p1', 2],
      ['large objects', 1],
    ]);
    expect(compareFingerprints(a, sameElsewhere)).toEqual([]);

    await inDatabase('b', (session) =>
      session.query(`SET search_path = public; UPDATE "odd one".t SET f = 0 WHERE n = 7; DELETE FROM p WHERE n = 1; CREATE TABLE extra ();
                     SELECT lo_unlink(4711)`),
    );
    const other = await inDatabase('b', (session) => fingerprintTables(session));
    expect(compareFingerprints(a, other)).toEqual([
      '"odd one".t has other content in its 500 rows',
      'public.p1 has 1 rows instead of 2',
      'large objects is missing',
      'public.extra is not expected',
    ]);
  });
});

describe('fingerprints of two forms', () => {
  const filled = `SET search_path = public; CREATE TABLE kinds (i2 smallint, i4 int, i8 bigint, o oid, yes boolean, t text,
      v varchar(20), c char(8), open bpchar, u uuid, b bytea, at timestamp, atz timestamptz, d date, n numeric, f float8, j jsonb,
      a int[], i interval);
    INSERT INTO kinds SELECT i, i, i::bigint << 33, i, i % 2 = 0, 'text ' || i, 'v' || i, 'c' || i, 'open ', md5(i::text)::uuid,
      decode(md5(i::text), 'hex'), to_timestamp(i), to_timestamp(i), 'infinity', 1.0, i / 3.0, jsonb_build_object('i', i),
      ARRAY[i], make_interval(i) FROM generate_series(1, 20) i;
    INSERT INTO kinds VALUES (NULL)`;

  test('those of the first are still compared: an older build has made the backup', async () => {
    await inDatabase('postgres', (session) => session.query('CREATE DATABASE elder'));
    await inDatabase('elder', async (session) => {
      await session.query(
        `SET search_path = public; CREATE TABLE t (n int, b bytea); INSERT INTO t VALUES (1, 'one'), (2, NULL); SELECT lo_from_bytea(4711, 'large')`,
      );
      // As 0.1.0 had them in its manifests.
      const elder = [
        { table: 'public.t', rows: 2, hash: '-116536676459967786' },
        { table: 'large objects', rows: 1, hash: '3026746614227164732' },
      ];
      expect(await fingerprintTables(session, { like: elder })).toEqual(elder);
      expect(compareFingerprints(elder, await fingerprintTables(session))).toHaveLength(2);
      const later = [{ table: 'public.t', rows: 2, hash: '3:12' }];
      await expect(fingerprintTables(session, { like: later })).rejects.toThrow(/form 3/);
    });
  });

  test('those of the second see every column of every type, and which row a value stands in', async () => {
    await inDatabase('postgres', (session) => session.query('CREATE DATABASE kinds'));
    await inDatabase('kinds', async (session) => {
      await session.query(filled);
      const print = async (): Promise<string> => {
        const [found] = await fingerprintTables(session);
        return found?.hash ?? '';
      };
      const before = await print();
      expect(before).toMatch(/^2:-?\d+$/);
      const changes = {
        i2: 'i2 + 1',
        i4: '-i4',
        i8: 'i8 # ((1::bigint << 32) | 1)',
        o: "'8'",
        yes: 'NOT yes',
        t: "t || ' '",
        v: "v || ' '",
        c: "'other'",
        open: "'open'",
        u: 'gen_random_uuid()',
        b: "b || '\\x00'",
        at: "at + '1 microsecond'",
        atz: "atz + '1 microsecond'",
        d: "'-infinity'",
        n: '1.00',
        f: '-f',
        j: 'j || \'{"k": 1}\'',
        a: 'a || 1',
        // As many months, says the operator.
        i: 'make_interval(days => 2520)',
      };
      const seen = new Set([before]);
      for (const [column, value] of Object.entries(changes)) {
        for (const to of [value, 'NULL']) {
          await session.query('BEGIN');
          await session.query(`UPDATE public.kinds SET ${column} = ${to} WHERE i4 = 7`);
          seen.add(await print());
          await session.query('ROLLBACK');
        }
      }
      // Two rows that have each other's value: the sum over the columns is the same.
      await session.query(
        'BEGIN; UPDATE public.kinds SET t = (CASE i4 WHEN 7 THEN $$text 8$$ ELSE $$text 7$$ END) WHERE i4 IN (7, 8)',
      );
      seen.add(await print());
      await session.query(
        'ROLLBACK; BEGIN; ALTER TABLE public.kinds DROP COLUMN i2; ALTER TABLE public.kinds ADD COLUMN i2 smallint; UPDATE public.kinds SET i2 = i4',
      );
      expect(await print()).toBe(before);
      await session.query('ROLLBACK');
      expect(seen.size).toBe(1 + 2 * Object.keys(changes).length + 1);
    });
  });

  test('those of the second tell apart rows whose bigints are the numbers of columns', async () => {
    await inDatabase('postgres', async (session) => {
      await session.query('BEGIN; CREATE TABLE public.t (a int, b bigint, c int, d bigint)');
      const seen = new Set<string>();
      for (const values of ['2, 1, 4, 3', '4, 3, 2, 1', '2, 1, 2, 1', '4, 3, 4, 3']) {
        await session.query(`DELETE FROM public.t; INSERT INTO public.t VALUES (${values})`);
        for (const { table, hash } of await fingerprintTables(session))
          if (table === 'public.t') seen.add(hash);
      }
      await session.query('ROLLBACK');
      expect(seen.size).toBe(4);
    });
  });
});

describe('names that only some versions quote', () => {
  const columns = (...names: string[]) => names.map((name) => ({ name, type: 'int4', isSized: false }));

  test('a column has its seed by its name as the catalogue has it', () => {
    expect(rowHash(columns('json', 'amount', 'Zeit', 'odd "one"'), 'r')).toBe(
      'hashint4extended(0, coalesce(hashint4extended(r."Zeit", 1), -1) # coalesce(hashint4extended(r."amount", 2), -2)' +
        ' # coalesce(hashint4extended(r."json", 3), -3) # coalesce(hashint4extended(r."odd ""one""", 4), -4))',
    );
  });

  test('a table that is quoted on one side alone is the same one', () => {
    const of = (...names: string[]) => names.map((table) => ({ table, rows: 1, hash: '2:1' }));
    const elder = of('public.json', 'sequence json.json', '"A"."b c"', '"x""json""y".t');
    const newer = of('public."json"', 'sequence "json"."json"', '"A"."b c"', '"x""json""y".t');
    expect(compareFingerprints(elder, newer)).toEqual([]);
    expect(compareFingerprints(newer, elder)).toEqual([]);
    expect(compareFingerprints(of('a.json', '"A".t', '"a.b".c'), of('a."Json"', 'a.t', 'a."b.c"'))).toEqual([
      'a.json is missing',
      '"A".t is missing',
      '"a.b".c is missing',
      'a."Json" is not expected',
      'a.t is not expected',
      'a."b.c" is not expected',
    ]);
  });

  const newest = findInstallations(join(root, 'lib'))[0];

  // Columns that are computed when they are read came with 18; npm's server is of it, but its package is optional.
  test.skipIf(newest === undefined || newest.major < 18)(
    'from one version to 18 all is the same, and a column that is computed when it is read is not read',
    async () => {
      const [second, own] = [join(root, 'newest'), join(root, 'newest', 'main')];
      const made = { ...options, binaries: newest ?? binaries };
      makeOwned(second, user);
      await runInitdb({ ...made, stage: second, data: own });
      const other = await startPrivateServer({ ...made, folder: own, care: 'scratch' });
      const quoted = `CREATE TABLE public.json (id int, amount int, json text, "system_user" numeric[], "Zeit" bigint);
        INSERT INTO public.json VALUES (1, 2, 'three', '{4}', 5)`;
      const read = async (from: PrivateServer, sql: string) => {
        const session = await from.connect('postgres');
        try {
          await session.query(`BEGIN; ${sql}`);
          return (await fingerprintTables(session)).filter(({ table }) => table.includes('public'));
        } finally {
          await session.end();
        }
      };
      try {
        const [elder, newer] = [await read(server, quoted), await read(other, quoted)];
        expect(elder).toHaveLength(1);
        expect(compareFingerprints(elder, newer)).toEqual([]);
        const computed = (how: string) =>
          `CREATE TABLE public.v (a int${how}); INSERT INTO public.v VALUES (0); ALTER TABLE public.v ADD COLUMN later int DEFAULT 7`;
        const virtual = await read(other, computed(', w int GENERATED ALWAYS AS (1 / a) VIRTUAL'));
        expect(virtual).toEqual(await read(server, computed('')));
      } finally {
        await other.stop();
      }
    },
  );
});

describe('the superuser’s sessions', () => {
  test('run nothing that an owner has put in the way: no cast of a row, no function found by a search path', async () => {
    await inDatabase('postgres', async (session) => {
      await session.query('CREATE ROLE mallory LOGIN');
      await session.query('CREATE DATABASE trap OWNER mallory');
    });
    await inDatabase('trap', (session) =>
      session.query(`SET ROLE mallory; CREATE SCHEMA evil;
        CREATE TABLE public.victims (t text); INSERT INTO public.victims VALUES ('one'), ('two');
        CREATE FUNCTION evil.raise() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'run as %', current_user; END $$;
        CREATE FUNCTION evil.of_row(public.victims) RETURNS text LANGUAGE sql AS 'SELECT evil.raise()';
        CREATE CAST (public.victims AS text) WITH FUNCTION evil.of_row(public.victims);
        CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT evil.raise()'`),
    );
    await inDatabase('postgres', (session) =>
      session.query('ALTER DATABASE trap SET search_path = evil, pg_catalog'),
    );
    await inDatabase('trap', async (session) => {
      expect((await session.query(`SELECT current_setting('port') AS port`)).rows).toEqual([
        { port: '5432' },
      ]);
      const prints = await fingerprintTables(session);
      expect(prints.map(({ table, rows }) => [table, rows])).toEqual([['public.victims', 2]]);
    });
  });
});
