/** The one transaction that makes an import real, cut on either side of its commit. */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../support/descendants.ts';
import type { Ended, TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

const DUMP = `--
-- PostgreSQL database dump
--
CREATE TABLE public.t (a integer);
COPY public.t (a) FROM stdin;
1
2
\\.
--
-- PostgreSQL database dump complete
--
`;
const GATE = 4242;

let volume: TestVolume;
let gate: pg.Client;

/** A ledger whose commits wait at a gate, and no database yet. */
beforeEach(async () => {
  volume = await makeVolume();
  await volume.boot();
  await volume.admin('DROP DATABASE tools');
  await volume.admin(`
    DELETE FROM bulkhead.ledger;
    CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_advisory_xact_lock(${GATE}); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER gate AFTER INSERT ON bulkhead.ledger DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION wait_at_gate()`);
  mkdirSync(join(volume.dataDir, 'import'), { recursive: true });
  writeFileSync(join(volume.dataDir, 'import', 'dump.sql'), DUMP);
  gate = new pg.Client({
    host: join(volume.runDir, 'pg'),
    port: volume.plan.port,
    user: 'bulkhead',
    database: 'postgres',
  });
  gate.on('error', () => undefined);
  await gate.connect();
  await gate.query('SELECT pg_advisory_lock($1)', [GATE]);
});
afterEach(async () => {
  await gate.end().catch(() => undefined);
  await volume.remove();
});

/** Starts the import; resolves when everything of the transaction is done but its commit. */
async function importUpToTheGate(): Promise<{ setup: ChildProcess; ended: Promise<Ended> }> {
  const started = Promise.withResolvers<ChildProcess>();
  const ended = volume.run('setup', { onReport: (_, child) => started.resolve(child) });
  const setup = await started.promise;
  await eventually('the commit waits at the gate', async () => {
    const { rows } = await gate.query(
      `SELECT FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event_type = 'Lock'`,
    );
    return rows.length === 1;
  });
  return { setup, ended };
}

async function imports(): Promise<number> {
  return (await volume.admin(`SELECT FROM bulkhead.ledger WHERE kind = 'import'`)).length;
}

test('case 4: killed inside the transaction, the old state is whole, and the next boot imports anew', async () => {
  const { setup, ended } = await importUpToTheGate();
  // Row and new name are there for the transaction alone.
  await volume.stopServer('SIGKILL');
  setup.kill('SIGKILL');
  await ended;
  await volume.startServer();
  expect(await volume.databases()).toEqual([expect.stringMatching(/^tools__imp_[0-9a-f]{8}$/)]);
  expect(await imports()).toBe(0);
  // Somebody's own, though its name is as long as one of ours.
  await volume.admin('CREATE DATABASE tools__new_products');
  const next = await volume.run('setup');
  expect(next.failure).toBeUndefined();
  expect(next.stderr).toContain('dropped what an interrupted start left behind: tools__imp_');
  expect(await volume.databases()).toEqual(['tools', 'tools__new_products']);
  expect(await imports()).toBe(1);
});

test('case 3: killed after the commit and before a word of it, the next boot imports nothing', async () => {
  const { setup, ended } = await importUpToTheGate();
  // It sees no answer any more, and so says nothing.
  setup.kill('SIGSTOP');
  await gate.query('SELECT pg_advisory_unlock($1)', [GATE]);
  await eventually('the commit is through', async () => (await imports()) === 1);
  setup.kill('SIGKILL');
  expect((await ended).stderr).not.toContain('imported ');
  await volume.stopServer('SIGKILL');
  await volume.startServer();
  await volume.query('INSERT INTO t VALUES (3)');
  const next = await volume.run('setup');
  expect([next.code, next.notes]).toEqual([0, []]);
  expect(next.stderr).not.toContain('imported ');
  expect(await volume.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 3 }]);
  expect(await imports()).toBe(1);
});
