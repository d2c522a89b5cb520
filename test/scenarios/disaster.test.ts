/** A backup's whole life: made, verified, the cluster lost, restored without a supervisor, served again. */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findBinaries, findTool } from '../../src/postgres/binaries.ts';
import { freePorts, type Supervisor, startSupervisor } from '../support/supervisor.ts';

const hasClients = findTool(findBinaries({ libraryDir: '/tmp' }), 'pg_basebackup') !== undefined;
const plan = `
version: 1
name: tools
database:
  settings: { fsync: off }
services:
  app: { command: [sleep, infinity], depends_on: { database: { condition: service_healthy } } }
`;
let supervisor: Supervisor;
let folder: string;
let env: Record<string, string>;

async function sql(text: string): Promise<string> {
  const { stdout, stderr } = await supervisor.run('db', 'psql', '--', '-XAtc', text);
  return stdout.trim() || stderr;
}

async function boot(): Promise<void> {
  supervisor = await startSupervisor({ plan, env, folder });
  await supervisor.ready();
}

describe.skipIf(!hasClients)('a backup', () => {
  beforeAll(async () => {
    const [port] = await freePorts(1);
    env = { BULKHEAD_DB_PORT: String(port) };
    folder = mkdtempSync(join(tmpdir(), 'bulkhead-disaster-'));
    // The database's own user has to pass.
    chmodSync(folder, 0o755);
    await boot();
    await sql('CREATE TABLE t AS SELECT i, md5(i::text) AS h FROM generate_series(1, 20000) i');
    expect((await supervisor.run('backup', 'run', 'daily')).code).toBe(0);
    expect((await supervisor.run('backup', 'run', 'base')).code).toBe(0);
    await sql('INSERT INTO t VALUES (0, NULL)');
  }, 60_000);
  afterAll(async () => {
    await supervisor[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const id = (kind: string): string =>
    readdirSync(join(supervisor.dataDir, 'backups', kind)).find((name) => name.includes(`-${kind}-`)) ?? '';

  test('of a living server is restored only where it was said, and what was there is kept', async () => {
    const refused = await supervisor.run('backup', 'restore', id('dump'), '--yes');
    expect(refused.stderr).toContain('the database tools is there already');
    expect(refused.code).toBe(5);
    const unasked = await supervisor.run('backup', 'restore', id('dump'), '--replace');
    expect(unasked.stderr).toContain('nobody said yes');
    expect(unasked.code).toBe(5);
    const restored = await supervisor.run('backup', 'restore', id('dump'), '--replace', '--yes');
    expect(restored.stderr).toBe('');
    expect(restored.stdout).toMatch(
      /It takes the place of the database tools .*which is kept[\s\S]*restored .*db rollback --forget tools_old_/,
    );
    expect(await sql('SELECT count(*) FROM t')).toBe('20000');
    expect((await supervisor.status()).overall).toBe('pass');
  }, 60_000);

  test('of the whole cluster comes into force by a restart of all that depends on it', async () => {
    await sql('DROP TABLE t');
    const restored = await supervisor.run('backup', 'restore', id('base'), '--replace', '--yes');
    expect(restored.stderr).toBe('');
    expect(restored.code).toBe(0);
    expect(await sql('SELECT count(*), count(h) FROM t')).toBe('20000|20000');
    const status = await supervisor.status();
    expect(status.overall).toBe('pass');
    expect(status.services.map(({ restarts }) => restarts)).toEqual(status.services.map(() => 0));
    const rolledBack = await supervisor.run('db', 'rollback', '--yes');
    expect(rolledBack.stderr).toBe('');
    expect(await sql('SELECT count(*) FROM t')).toContain('relation "t" does not exist');
  }, 60_000);

  test.each(['dump', 'base'])(
    'brings a lost cluster back without a supervisor: %s',
    async (kind) => {
      expect(await supervisor.stop()).toMatchObject({ code: 0 });
      rmSync(join(supervisor.dataDir, 'pg'), { recursive: true });
      const vetoed = await startSupervisor({ plan, env, folder });
      await vetoed.finished;
      expect(vetoed.output()).toContain('cannot create a cluster');
      const restored = await supervisor.run('backup', 'restore', id(kind));
      expect(restored.code).toBe(0);
      expect(restored.stderr).not.toMatch(/error|"level"/);
      expect(restored.stdout).toMatch(/Start: (bulkhead up|npm start)/);
      await boot();
      expect(await sql('SELECT count(*), count(h) FROM t')).toBe('20000|20000');
      expect(
        readdirSync(join(supervisor.dataDir, 'pg')).filter((name) => /stage|op\.json/.test(name)),
      ).toEqual([]);
      expect((await supervisor.status()).notes.filter((note) => note.includes('restore'))).toHaveLength(0);
    },
    60_000,
  );

  test('restored beside a living supervisor that cannot be asked is refused', async () => {
    const other = await supervisor.run('backup', 'restore', 'latest', '--socket', '/nowhere');
    expect(other.code).toBe(5);
    expect(other.stderr).toContain('another supervisor uses it');
  });
});
