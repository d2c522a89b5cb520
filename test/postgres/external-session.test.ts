import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDatabaseUrl } from '../../src/config/database-url.ts';
import { openExternalSession } from '../../src/postgres/external-session.ts';
import { askForTls } from '../../src/supervisor/health/probe-postgres.ts';
import { type ExternalPostgres, makeExternalPostgres } from '../support/external-postgres.ts';

/** The certificates are made by it; where it is missing, there is nothing to show. */
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.runIf(hasOpenssl)('a server that wants encryption', () => {
  let server: ExternalPostgres;
  let root: string;
  beforeAll(async () => {
    server = await makeExternalPostgres();
    // Its name is another one than we connect to.
    root = server.encrypt('elsewhere.example').rootFile;
    await server.stop();
    server.allow('hostssl all all all scram-sha-256');
    await server.startEncrypted();
  });
  afterAll(() => server.remove());

  async function protocol(query: string): Promise<string> {
    const url = parseDatabaseUrl(server.url({ query }));
    if (url.kind !== 'external') throw new Error(JSON.stringify(url));
    try {
      const session = await openExternalSession(url.server, { ...url, database: url.name });
      const { rows } = await session.query<{ ssl: boolean }>(
        'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
      );
      await session.end();
      return rows[0]?.ssl ? 'encrypted' : 'plain';
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  test.each([
    ['', 'encrypted'],
    ['?sslmode=allow', 'encrypted'],
    ['?sslmode=require', 'encrypted'],
    ['?sslmode=require&channel_binding=require', 'encrypted'],
    ['?sslmode=verify-ca&sslrootcert=ROOT', 'encrypted'],
    ['?sslmode=disable', 'it does not let app in from here'],
    ['?sslmode=verify-full&sslrootcert=ROOT', 'its certificate is not accepted'],
    ['?sslrootcert=system', 'its certificate is not accepted'],
    ['?sslmode=verify-ca&sslrootcert=/nowhere.crt', 'there is no root certificate /nowhere.crt'],
    ['?sslmode=disable&channel_binding=require', 'it does not let app in'],
  ])('sslmode and its companions mean what they mean to libpq: %s', async (query, wanted) => {
    expect(await protocol(query.replace('ROOT', root))).toContain(wanted);
  });

  test('verify-full passes where the certificate bears the name', async () => {
    for (const file of ['root.key', 'server.key']) rmSync(join(server.folder, file));
    root = server.encrypt().rootFile;
    await server.stop();
    await server.startEncrypted();
    expect(await protocol(`?sslmode=verify-full&sslrootcert=${root}`)).toBe('encrypted');
  });

  test('the check asks for encryption, and leaves no line in the log of that server', async () => {
    const before = server.log;
    expect(await askForTls(server.host, server.port, AbortSignal.timeout(5000))).toBeUndefined();
    expect(server.log).toBe(before);
  });
});
