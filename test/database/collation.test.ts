import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DatabaseStatus } from '../../src/protocol/database-status.ts';
import type { TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

let volume: TestVolume;
beforeEach(async () => {
  volume = await makeVolume();
  await volume.boot();
  // With a version of its own, which the cluster's C.UTF-8 does not have.
  await volume.admin('DROP DATABASE tools');
  await volume.admin(
    `CREATE DATABASE tools OWNER tools_user TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'`,
  );
  await volume.query('CREATE TABLE words (id int PRIMARY KEY, word text UNIQUE, folded text)');
  await volume.query('CREATE INDEX words_folded ON words (lower(folded)) WHERE id > 0');
  await volume.query(`INSERT INTO words SELECT i, 'word ' || i, 'Word' FROM generate_series(1, 100) i`);
});
afterEach(() => volume.remove());

/** Where the bytes of each index lie: another place means it was built anew. */
async function places(): Promise<Record<string, number>> {
  const rows = await volume.admin<{ relname: string; relfilenode: number }>(
    `SELECT relname, relfilenode FROM pg_class WHERE relkind = 'i' AND relname LIKE 'words%' ORDER BY 1`,
    'tools',
  );
  return Object.fromEntries(rows.map(({ relname, relfilenode }) => [relname, relfilenode]));
}

async function knownVersion(): Promise<string | null | undefined> {
  const [row] = await volume.admin<{ version: string | null }>(
    `SELECT datcollversion AS version FROM pg_database WHERE datname = 'tools'`,
  );
  return row?.version;
}

async function deeds(): Promise<unknown[]> {
  const rows = await volume.admin<{ detail: { rebuilt?: unknown } }>(
    `SELECT detail FROM bulkhead.ledger WHERE kind = 'collation' ORDER BY at`,
  );
  return rows.map(({ detail }) => detail.rebuilt);
}

test('case 25: after a change of the version the indexes over text are rebuilt, then it is noted, and the next boot is quiet', async () => {
  const actual = await knownVersion();
  const drifted = async (): Promise<readonly string[]> =>
    ((await volume.run('database-status')).result as DatabaseStatus).drifted;
  expect(await drifted()).toEqual([]);
  await volume.admin(`UPDATE pg_database SET datcollversion = '0.1' WHERE datname = 'tools'`);
  expect(await drifted()).toEqual(['tools']);
  const before = await places();
  const setup = await volume.run('setup');
  expect(setup.code).toBe(0);
  expect(setup.notes).toEqual([
    'the order of text has changed with this image: indexes were built anew, 2 of tools',
  ]);
  const after = await places();
  expect(after.words_word_key).not.toBe(before.words_word_key);
  expect(after.words_folded).not.toBe(before.words_folded);
  // A number has no order that could change.
  expect(after.words_pkey).toBe(before.words_pkey);
  expect(await knownVersion()).toBe(actual);
  expect(await deeds()).toEqual([{ tools: 2 }]);

  const second = await volume.run('setup');
  expect([second.code, second.notes, second.stderr]).toEqual([0, [], '']);
  expect(await places()).toEqual(after);
  expect(await deeds()).toHaveLength(1);
  expect(await drifted()).toEqual([]);
});

test('case 25: a changed canary rebuilds where no version tells it, and is the new one afterwards', async () => {
  await volume.admin(
    `UPDATE bulkhead.ledger SET detail = jsonb_set(detail, '{order,canary}', '"as another C library sorts"')`,
  );
  const before = await places();
  const setup = await volume.run('setup');
  expect(setup.code).toBe(0);
  expect((await places()).words_word_key).not.toBe(before.words_word_key);
  expect(await deeds()).toEqual([{ postgres: 1, template1: 0, tools: 2 }]);
  expect((await volume.run('setup')).notes).toEqual([]);
  const status = await volume.run('database-status');
  expect(status.result).toMatchObject({ ledger: [{ kind: 'create' }, { kind: 'collation' }] });
});

test('case 25: what cannot be rebuilt holds the application back, and the old version stays noted', async () => {
  await volume.query(
    'CREATE FUNCTION fold(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN lower($1); END $$',
  );
  await volume.query('CREATE INDEX words_own ON words (fold(folded))');
  await volume.query(
    `CREATE OR REPLACE FUNCTION fold(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RAISE 'as %', session_user; END $$`,
  );
  await volume.admin(`UPDATE pg_database SET datcollversion = '0.1' WHERE datname = 'tools'`);
  const setup = await volume.run('setup');
  expect(setup.code).toBe(12);
  // What an index computes is never computed by the superuser.
  expect(setup.failure).toContain(
    'cannot build the index public.words_own of tools anew after a change of the order of text: as tools_user',
  );
  expect(await knownVersion()).toBe('0.1');
  expect(await deeds()).toEqual([]);
});

test('a volume of before the canary is given one without a rebuild', async () => {
  await volume.admin(`UPDATE bulkhead.ledger SET detail = detail - 'order'`);
  const before = await places();
  const setup = await volume.run('setup');
  expect([setup.code, setup.notes]).toEqual([0, []]);
  expect(await places()).toEqual(before);
  expect((await volume.run('setup')).code).toBe(0);
  expect(await deeds()).toEqual([undefined]);
});
