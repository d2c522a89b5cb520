/** A stop in any phase of the database's life, and what the next boot says of the last one. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readControlFile } from '../../src/postgres/pg-control.ts';
import { eventually } from '../support/descendants.ts';
import { freePorts, type Supervisor, startSupervisor } from '../support/supervisor.ts';

const PLAN = 'version: 1\ndatabase: { name: stops, user: stops }\n';
const CLEAN = { code: 0, signal: null };

let folder: string;
let port: number;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-stop-'));
  // The database's own user has to pass.
  chmodSync(folder, 0o755);
  [port = 0] = await freePorts(1);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const data = (...parts: string[]): string => join(folder, 'data', ...parts);
const state = (): string => readControlFile(data('pg', 'current')).state;

function boot(plan = PLAN, env: Record<string, string> = {}): Promise<Supervisor> {
  return startSupervisor({ folder, plan, env: { BULKHEAD_DB_PORT: String(port), ...env } });
}

/** A session of the application that is not ended by us, but by the server's stop. */
async function connect(database = 'stops'): Promise<pg.Client> {
  const password = readFileSync(data('secrets', 'app_password'), 'utf8').trim();
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'stops', database, password });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function isInInitdb(): boolean {
  const stage =
    existsSync(data('pg')) && readdirSync(data('pg')).find((name) => name.startsWith('.stage-init'));
  return typeof stage === 'string' && existsSync(data('pg', stage, 'main', 'PG_VERSION'));
}

/** The process of the server in our folder that replays its log: `postgres: startup recovering 0000…`. */
async function findRecovering(): Promise<number> {
  let found: number | undefined;
  await eventually('it replays its log', () => {
    found = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .find(isRecovering);
    return found !== undefined;
  });
  return found ?? 0;
}

function isRecovering(pid: number): boolean {
  try {
    return (
      /startup\s+recovering/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8')) &&
      realpathSync(`/proc/${pid}/cwd`) === realpathSync(data('pg', 'current'))
    );
  } catch {
    return false;
  }
}

describe('a stop', () => {
  test('case 13: in the middle of initdb and of an import is clean, and the boot after both is whole', async () => {
    mkdirSync(data('import'), { recursive: true });
    const dump = (sql: string): void =>
      writeFileSync(
        data('import', 'dump.sql'),
        `--\n-- PostgreSQL database dump\n--\nCREATE TABLE public.t (a integer);\n${sql}\n--\n-- PostgreSQL database dump complete\n--\n`,
      );
    dump('SELECT pg_catalog.pg_sleep(600);');
    {
      await using first = await boot();
      await eventually('initdb is at work', isInInitdb);
      expect(await first.stop()).toEqual(CLEAN);
      expect(readdirSync(data('pg')).filter((name) => /^\d+$/.test(name))).toEqual([]);
    }
    {
      await using second = await boot();
      await eventually('the import is at work', async () => {
        const look = await connect('postgres').catch(() => undefined);
        const found = await look?.query(
          `SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()`,
        );
        await look?.end();
        return (found?.rows.length ?? 0) > 0;
      });
      expect(await second.stop()).toEqual(CLEAN);
      expect(state()).toBe('shut down');
    }
    dump('INSERT INTO public.t VALUES (1);');
    await using third = await boot();
    await third.ready();
    const client = await connect();
    expect((await client.query('SELECT a FROM t')).rows).toEqual([{ a: 1 }]);
    await client.end();
    expect(await third.stop()).toEqual(CLEAN);
  });

  test('case 13: during a migration, in a backup, and with an idle pool and a long query, is clean', async () => {
    {
      await using migrating = await boot(
        `${PLAN.replace(' }', ', migrate: { command: [sh, -c, "echo at-$$$$((40+2)); exec sleep 1000"] } }')}`,
      );
      await migrating.says('at-42');
      expect(await migrating.stop()).toEqual(CLEAN);
      expect(state()).toBe('shut down');
    }
    await using running = await boot();
    await running.ready();
    const clients = await Promise.all(Array.from({ length: 5 }, () => connect()));
    // pg_dump waits for a table that somebody holds.
    await clients[1]?.query('CREATE TABLE held (a integer)');
    await clients[1]?.query('BEGIN; LOCK TABLE held');
    const backup = running.run('backup', 'run', 'daily');
    await eventually('the backup is at work', async () => {
      const found = await clients[2]?.query(
        `SELECT FROM pg_locks WHERE relation = 'held'::regclass AND NOT granted`,
      );
      return (found?.rows.length ?? 0) > 0;
    });
    const long = clients[0]?.query('SELECT pg_sleep(1000)').catch(() => 'ended');
    expect(await running.stop()).toEqual(CLEAN);
    expect(await long).toBe('ended');
    expect((await backup).code).not.toBe(0);
    expect(readdirSync(data('backups', 'dump')).filter((name) => !name.startsWith('.stage'))).toEqual([]);
    expect(state()).toBe('shut down');
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  });

  test('case 14: that an archive_command holds up ends in its time all the same, and nothing is lost', async () => {
    mkdirSync(data('config', 'postgresql.d'), { recursive: true });
    const file = data('config', 'postgresql.d', 'archive.conf');
    writeFileSync(file, "archive_mode = on\narchive_command = 'sleep 1000'\n");
    {
      await using bulkhead = await boot(PLAN, { BULKHEAD_STOP_TIMEOUT: '5s' });
      await bulkhead.ready();
      const client = await connect();
      await client.query('CREATE TABLE kept AS SELECT 1 AS one');
      await client.end();
      const ended = await bulkhead.stop();
      // 14: something had to be killed, and that is told.
      expect([0, 14]).toContain(ended.code);
      expect(bulkhead.log('database')).toContain('received immediate shutdown request');
    }
    rmSync(file);
    await using next = await boot();
    await next.ready();
    const client = await connect();
    expect((await client.query('SELECT one FROM kept')).rows).toEqual([{ one: 1 }]);
    await client.end();
    expect(await next.stop()).toEqual(CLEAN);
  });
});

describe('a kill', () => {
  test('case 15: of the postmaster is followed by a start that waits for its orphans and recovers; the app comes back', async () => {
    await using bulkhead = await boot();
    await bulkhead.ready();
    const before = await connect();
    // Busy with itself, it does not see that its postmaster is gone.
    const orphan = before.query('SELECT count(*) FROM generate_series(1, 20000000)').catch(() => 'ended');
    const pid = Number(readFileSync(data('pg', 'current', 'postmaster.pid'), 'utf8').split('\n')[0]);
    process.kill(pid, 'SIGKILL');
    await orphan;
    await eventually('it is back', async () => {
      const found = (await bulkhead.status()).services.find(({ name }) => name === 'database');
      return found?.status === 'ready' && found.generation === 2;
    });
    const after = await connect();
    expect((await after.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await after.end();
    expect((await bulkhead.status()).notes.join()).toContain('unclean stops of this volume: 1');
    expect(await bulkhead.stop()).toEqual(CLEAN);
  });

  test('case 17: a recovery of much log that takes its time is alive, starting, not ready and not killed, and then everything is there', async () => {
    const settings = 'settings: { log_startup_progress_interval: 10ms }';
    await using bulkhead = await boot(PLAN.replace(' }', `, ${settings} }`));
    await bulkhead.ready();
    const before = await connect();
    await before.query(
      'CREATE TABLE much AS SELECT n, repeat(md5(n::text), 20) AS words FROM generate_series(1, 60000) n',
    );
    await before.end();
    process.kill(
      Number(readFileSync(data('pg', 'current', 'postmaster.pid'), 'utf8').split('\n')[0]),
      'SIGKILL',
    );
    // Held in the midst of its work, as by a disk that is slower than the log is long.
    const recovering = await findRecovering();
    process.kill(recovering, 'SIGSTOP');
    try {
      const database = async () => (await bulkhead.status()).services.find(({ name }) => name === 'database');
      // Asked every 50 ms, of which three would be enough for a check that does not know what it sees.
      await eventually('many checks have passed', async () => {
        const found = await database();
        return found?.generation === 2 && Date.now() - Date.parse(found.since) > 1500;
      });
      expect(await database()).toMatchObject({
        status: 'starting',
        generation: 2,
        check: { lastError: 'the database system is starting up' },
      });
      expect((await bulkhead.probe('/livez')).status).toBe(200);
      expect((await bulkhead.probe('/readyz')).status).toBe(503);
      expect(readFileSync(`/proc/${recovering}/cmdline`, 'utf8')).toContain('recovering');
      expect((await database())?.progress).toMatchObject({ what: 'replaying the write-ahead log' });
      await eventually('it says how far it is', async () => {
        process.kill(recovering, 'SIGCONT');
        await delay(5);
        process.kill(recovering, 'SIGSTOP');
        return bulkhead.log('database').includes('redo in progress');
      });
      const { progress } = (await database()) ?? {};
      expect(progress).toMatchObject({ detail: expect.stringMatching(/ of [\d.]+ MB/) });
      expect(progress?.percent).toBeGreaterThanOrEqual(0);
      expect(progress?.percent).toBeLessThanOrEqual(100);
      expect((await bulkhead.status()).reason).toContain('replaying the write-ahead log');
    } finally {
      process.kill(recovering, 'SIGCONT');
    }
    await eventually('it serves', async () => (await bulkhead.probe('/readyz')).status === 200);
    const after = await connect();
    expect((await after.query('SELECT count(*)::int AS n FROM much')).rows).toEqual([{ n: 60_000 }]);
    await after.end();
    const found = (await bulkhead.status()).services.find(({ name }) => name === 'database');
    expect(found).toMatchObject({ generation: 2 });
    expect(bulkhead.log('database')).toContain('redo starts at');
    expect(await bulkhead.stop()).toEqual(CLEAN);
  }, 120_000);

  test('case 16: of a backend leaves the server as it is, and it recovers by itself', async () => {
    await using bulkhead = await boot();
    await bulkhead.ready();
    const client = await connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
    await eventually('it serves again', async () => {
      const next = await connect().catch(() => undefined);
      await next?.end();
      return next !== undefined && bulkhead.log('database').includes('all server processes terminated');
    });
    const found = (await bulkhead.status()).services.find(({ name }) => name === 'database');
    expect(found).toMatchObject({ generation: 1, restarts: 0 });
    expect(await bulkhead.stop()).toEqual(CLEAN);
  });
});
