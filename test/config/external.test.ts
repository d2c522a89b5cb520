import { describe, expect, test } from 'vitest';
import { parseDatabaseUrl } from '../../src/config/database-url.ts';
import { nameServer } from '../../src/config/external-url.ts';
import { listPlan } from '../../src/config/show-plan.ts';
import { planOf, readText, runOf, serviceOf } from './reading.ts';

const URL = 'postgres://me:geheim%40wort@db.example.com/shop?schema=public&sslmode=verify-full';
const PLAN = `
version: 1
name: shop
database:
  user: somebody
  migrate: { command: [node, migrate.js], timeout: 2m, retries: 1 }
services:
  app:
    command: [node, server.js]
    environment: { DATABASE_URL: "\${DATABASE_URL}" }
    depends_on: { database: { condition: service_healthy } }
`;
const read = (env: Record<string, string> = { DATABASE_URL: URL }, plan = PLAN) => readText(plan, { env });

describe('a DATABASE_URL of another host', () => {
  test('makes a plan without a cluster, whose database is waited for and asked where it is', () => {
    const reading = read();
    const plan = planOf(reading);
    expect(plan.runs.map(({ name }) => name)).toEqual(['database', 'setup', 'migrate', 'app']);
    expect(plan.disabled).toEqual([
      { name: 'cluster', why: 'the database is at db.example.com:5432 (DATABASE_URL)' },
    ]);
    expect(plan.database).toMatchObject({ name: 'shop', user: 'me', password: 'geheim@wort', port: 5432 });
    const database = serviceOf(reading, 'database');
    expect(database.onUnhealthy).toBe('ignore');
    expect(database.healthcheck?.probe).toEqual({
      kind: 'postgres',
      host: 'db.example.com',
      port: 5432,
      encrypted: true,
    });
  });

  test('reaches the application as it is given', () => {
    expect(runOf(read(), 'app').environment.DATABASE_URL).toBe(URL);
  });

  test('puts one of our programs around the migration, which keeps the time limit', () => {
    expect(runOf(read(), 'migrate')).toMatchObject({
      work: {
        kind: 'command',
        argv: ['node', 'migrate.js'],
        through: { program: 'migrate', timeout: 120_000 },
      },
      startTimeout: undefined,
      retries: 1,
    });
    expect(runOf(read({}), 'migrate')).toMatchObject({ startTimeout: 120_000, work: { kind: 'command' } });
    expect(runOf(read({}), 'migrate').work).not.toHaveProperty('through');
  });

  test('is shown by its host alone', () => {
    const reading = read();
    if (!reading.plan) throw new Error('broken');
    const shown = JSON.stringify(listPlan(reading.plan, reading.provenance));
    expect(shown).toContain('"value":"db.example.com:5432","from":"variable DATABASE_URL"');
    expect(shown).not.toContain('geheim');
  });

  test('makes settings of the server idle, with a warning', () => {
    const plan = PLAN.replace('  user: somebody', '  settings: { work_mem: 16MB }');
    expect(read(undefined, plan).warnings).toMatchObject([{ code: 'idle-word', line: 5 }]);
  });
});

describe('the word for where the database is', () => {
  test.each([
    [{ BULKHEAD_DATABASE_MODE: 'external' }, 'DATABASE_URL is not set'],
    [
      { BULKHEAD_DATABASE_MODE: 'external', DATABASE_URL: 'postgres://localhost' },
      'points into this container',
    ],
    [{ BULKHEAD_DATABASE_MODE: 'embedded', DATABASE_URL: URL }, 'points to db.example.com:5432'],
    [{ BULKHEAD_DATABASE_MODE: 'outside' }, 'neither embedded nor external'],
  ])('%j contradicts what is there', (env, message) => {
    const { problems = [] } = read(env);
    expect(problems.map((problem) => problem.message)).toEqual([expect.stringContaining(message)]);
    expect(JSON.stringify(problems)).not.toContain('geheim');
  });

  test('may stand in the plan, and the variable beats it', () => {
    const plan = PLAN.replace('  user: somebody', '  mode: external');
    expect(planOf(read(undefined, plan)).database?.mode).toBe('external');
    expect(read({}, plan).problems).toMatchObject([{ code: 'database-mode', line: 5 }]);
    expect(planOf(read({ BULKHEAD_DATABASE_MODE: 'embedded' }, plan)).database?.mode).toBe('embedded');
  });
});

describe('an address is read as libpq reads it', () => {
  test.each([
    ['postgres://me@db/x', 'db:5432'],
    ['postgres://me@10.1.2.3:6000/x', '10.1.2.3:6000'],
    ['postgres://me@[fd00::1]:6000/x', '[fd00::1]:6000'],
    ['postgres://me@a:1,b:2,c/x', 'a:1, b:2, c:5432'],
    ['postgres://me@a,b/x?port=7000', 'a:7000, b:7000'],
    ['postgres:///x?host=db.example.com&user=me&port=5433', 'db.example.com:5433'],
    ['postgres://me@db.example.com/x?hostaddr=10.0.0.9', 'db.example.com:5432'],
  ])('%s', (text, wanted) => {
    const url = parseDatabaseUrl(text);
    expect(url.kind === 'external' && nameServer(url.server)).toBe(wanted);
  });

  test('the database is called like the user where nothing is said, and a plus is a plus', () => {
    const url = parseDatabaseUrl('postgres://me:a+b@db?options=-c%20search_path%3Da+b&ssl=true');
    expect(url).toMatchObject({
      name: 'me',
      password: 'a+b',
      server: { parameters: { options: '-c search_path=a+b', sslmode: 'require' } },
    });
  });

  test.each([
    ['postgres://db.example.com/x', 'no user'],
    ['postgres://me@localhost,db.example.com/x', 'this container and another host'],
    ['postgres://me@db:70000/x', 'port'],
    ['postgres://me@db/x?sslmode=always', 'sslmode is none of'],
    ['postgres://me@db/x?sslmode=require&sslrootcert=system', 'too weak'],
    ['postgres://me@db/x?sslnegotiation=direct', 'sslnegotiation=direct'],
    ['postgres://me@db/x?channel_binding=yes', 'channel_binding'],
    ['postgres://me@db/x?service=prod', 'service='],
  ])('%s is refused', (text, why) => {
    expect(parseDatabaseUrl(text)).toEqual({ kind: 'invalid', why: expect.stringContaining(why) });
  });
});
