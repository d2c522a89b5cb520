import { spawn } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { psqlInvocation } from '../../src/database/psql.ts';
import { createScratch, renameIn } from '../../src/postgres/app-database.ts';
import { connectAsApp, connectAsSuperuser, type Server } from '../../src/postgres/connect.ts';
import type { TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

let volume: TestVolume;
let server: Server;
beforeAll(async () => {
  volume = await makeVolume();
  await volume.boot();
  server = {
    socketDir: join(volume.runDir, 'pg'),
    port: volume.plan.port,
    superuserPassword: undefined,
    appUser: volume.plan.user,
    appPassword: volume.password(),
  };
});
afterAll(() => volume.remove());

function run(
  argv: readonly string[],
  env: Record<string, string>,
  stdin: string,
): Promise<{ code: number | null; output: string }> {
  const [program = '', ...args] = argv;
  const child = spawn(program, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stdin.end(stdin);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output: output.trim() })));
}

describe('a person', () => {
  test('reads SQL in with psql and the password of the application, over TCP and over the socket', async () => {
    for (const host of ['127.0.0.1', server.socketDir]) {
      const env = { PGHOST: host, PGPORT: String(server.port), PGPASSWORD: server.appPassword };
      const psql = ['psql', '-X', '-q', '-A', '-t', '-U', server.appUser, 'tools'];
      const sql = 'CREATE TEMP TABLE x AS SELECT 1; SELECT session_user;\n';
      expect(await run(psql, env, sql)).toEqual({ code: 0, output: 'tools_user' });
      expect((await run(psql, { ...env, PGPASSWORD: 'wrong' }, sql)).output).toContain(
        'password authentication failed',
      );
    }
  });

  test('is given a psql whose arguments hold no password', async () => {
    const { argv, env } = psqlInvocation(volume.dataDir, volume.plan, volume.runDir, ['-X', '-A', '-t']);
    expect(argv.join(' ')).not.toContain(server.appPassword);
    expect(await run(argv, env, 'SELECT current_database();\n')).toEqual({ code: 0, output: 'tools' });
  });

  test('who is not the database’s system user is no superuser', async () => {
    const env = { PGHOST: '127.0.0.1', PGPORT: String(server.port), PGPASSWORD: server.appPassword };
    expect((await run(['psql', '-X', '-U', 'bulkhead', 'postgres'], env, 'SELECT 1;')).code).toBe(2);
  });
});

describe('the application', () => {
  test('reaches no program, no file and no other role, whatever it tries', async () => {
    const app = await connectAsApp(server, 'tools');
    try {
      for (const sql of [
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "SELECT pg_read_file('/etc/passwd')",
        'SET ROLE bulkhead',
        'SET SESSION AUTHORIZATION bulkhead',
        'CREATE ROLE another SUPERUSER',
        'ALTER ROLE tools_user SUPERUSER',
      ]) {
        await expect(app.query(sql), sql).rejects.toThrow(/permission denied|must be|cannot/);
      }
      await app.query(
        'CREATE FUNCTION escape() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RESET ROLE; RETURN current_user; END $$',
      );
      expect((await app.query('SELECT escape()')).rows).toEqual([{ escape: 'tools_user' }]);
    } finally {
      await app.end();
    }
  });
});

test('a rename that fails leaves no row in the ledger, and one that succeeds leaves one', async () => {
  const session = await connectAsSuperuser(server);
  try {
    const rows = async (): Promise<number> =>
      (await session.query('SELECT FROM bulkhead.ledger')).rows.length;
    const before = await rows();
    const scratch = await createScratch(session, 'other', server.appUser, 'new');
    const entry = {
      kind: 'create',
      sha256: undefined,
      detail: { database: 'tools', user: server.appUser },
    } as const;
    await expect(renameIn(session, scratch, 'tools', entry)).rejects.toThrow('already exists');
    expect(await rows()).toBe(before);
    await renameIn(session, scratch, 'other', { ...entry, detail: { ...entry.detail, database: 'other' } });
    expect(await rows()).toBe(before + 1);
    expect(await volume.databases()).toEqual(['other', 'tools']);
  } finally {
    await session.end();
  }
});

test.each([
  [{ user: 'bulkhead' }, "cannot use bulkhead as the application's user"],
  [{ name: 'postgres' }, "cannot use postgres as the application's database"],
])('the plan %j is refused', async (plan, message) => {
  const setup = await volume.run('setup', { plan });
  expect(setup.code).toBe(12);
  expect(setup.failure).toContain(message);
});

test('with database.listen the application alone is let in from outside, to its database alone', async () => {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
  if (outside === undefined) return;
  const ask = (user: string, database: string) => {
    const env = { PGHOST: outside, PGPORT: String(server.port), PGPASSWORD: server.appPassword };
    return run(['psql', '-X', '-q', '-A', '-t', '-U', user, database], env, 'SELECT current_user;\n');
  };
  expect((await ask(server.appUser, 'tools')).output).toContain('Connection refused');
  await volume.stopServer();
  await volume.startServer({ plan: { listen: ['*'] } });
  expect(await ask(server.appUser, 'tools')).toEqual({ code: 0, output: server.appUser });
  expect((await ask(server.appUser, 'postgres')).output).toContain('no pg_hba.conf entry');
  expect((await ask('bulkhead', 'tools')).output).toContain('no pg_hba.conf entry');
});
