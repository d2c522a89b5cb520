import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { leadsOut } from '../../src/bundles/link-target.ts';
import { readSourceUrl } from '../../src/bundles/source-database.ts';
import { findBinaries, findTool } from '../../src/postgres/binaries.ts';
import { makeOldHost, type OldHost, readManifest } from '../support/bundles.ts';

const hasTools = findTool(findBinaries({ libraryDir: '/tmp' }), 'pg_dump') !== undefined;
const main = join(import.meta.dirname, '..', '..', 'src', 'main.ts');

describe.runIf(hasTools)('bundle create', () => {
  let host: OldHost;
  beforeAll(async () => {
    host = await makeOldHost();
    await host.server.admin(`CREATE ROLE guest LOGIN PASSWORD 'guest'`);
  }, 60_000);
  afterAll(() => host.remove());

  function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, 'bundle', 'create', ...args],
      {
        cwd: host.folder,
        env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    let out = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      out += chunk;
    });
    return new Promise<{ code: number | null; out: string }>((resolve) =>
      child.once('close', (code) => resolve({ code, out })),
    );
  }

  test('needs no plan and no supervisor; the address comes from a file, and no secret is shown', async () => {
    writeFileSync(join(host.folder, 'url'), `${host.server.url()}\n`, { mode: 0o600 });
    const env = { DATABASE_URL_FILE: 'url' };
    const made = await run(['--output', 'a.tar', '--assets', 'uploads', '--env-file', '.env'], env);
    expect(made.out).toMatch(
      /a\.tar: .* sha256 [0-9a-f]{64}\n.*502 rows in 2 tables, restored beside and compared/,
    );
    expect(made.out).toContain('not brought along: out: a link that leads out');
    expect(made.out).toContain('left out of the environment: DATABASE_URL, NEXTAUTH_SECRET, SMTP_PASSWORD');
    expect(made.out).not.toMatch(/app secret|app%20secret|old secret/);
    expect(made.code).toBe(0);
    const manifest = await readManifest(join(host.folder, 'a.tar'));
    expect(manifest.members.map(({ path }) => path)).not.toContain('app.env.age');
    const again = await run(['--output', 'a.tar'], env);
    expect([again.code, again.out]).toEqual([5, expect.stringMatching(/there is a file of that name/)]);
  }, 60_000);

  test.each([
    ['without an address', {}, 2, /which database is not said/],
    [
      'with something else as address',
      { DATABASE_URL: 'mysql://a:topsecret@b/c' },
      1,
      /must look like postgresql/,
    ],
    ['with a wrong password', { DATABASE_URL: 'wrong' }, 1, /password/],
    [
      'as a role that may not read',
      { DATABASE_URL: 'guest' },
      1,
      /permission denied.*\n.*may read every table/,
    ],
  ])('%s says why, and leaves nothing behind', async (_, given, code, words) => {
    const urls: Record<string, string> = {
      wrong: host.server.url({ password: 'topsecret' }),
      guest: host.server.url({ password: 'guest' }).replace('//app:', '//guest:'),
    };
    const { DATABASE_URL: url } = given as { DATABASE_URL?: string };
    const ended = await run(
      ['--output', 'b.tar'],
      url === undefined ? {} : { DATABASE_URL: urls[url] ?? url },
    );
    expect(ended.out).toMatch(words);
    expect(ended.out).not.toContain('topsecret');
    expect(ended.code).toBe(code);
    expect(existsSync(join(host.folder, 'b.tar'))).toBe(false);
    expect(readdirSync(host.folder).filter((name) => name.startsWith('.stage'))).toEqual([]);
  });

  test('several folders keep their names, and two of one name are refused', async () => {
    const { path } = await host.bundle('c.tar', {
      assets: [join(host.folder, 'uploads', 'a'), join(host.folder, 'uploads')],
    });
    const paths = (await readManifest(path)).members.map((member) => member.path);
    expect(paths).toContain('assets/a/ü.png');
    expect(paths).toContain('assets/uploads/none.txt');
    const twice = host.bundle('d.tar', {
      assets: [join(host.folder, 'uploads'), join(host.folder, 'uploads')],
    });
    await expect(twice).rejects.toThrow(/two of the folders are called uploads/);
    expect(existsSync(join(host.folder, 'd.tar'))).toBe(false);
  }, 60_000);
});

test('the database on this very host is an old host as well', () => {
  const source = readSourceUrl('postgres://me:p%2Fw@localhost:5433/app?sslmode=disable');
  expect(source).toMatchObject({ user: 'me', password: 'p/w', name: 'app' });
  expect(source.server.hosts).toEqual([{ host: 'localhost', address: 'localhost', port: 5433 }]);
  expect(readSourceUrl('postgresql://me@/app?host=/run/pg').server.hosts[0]?.host).toBe('/run/pg');
});

test.each([
  ['assets/a/l', '../b', false],
  ['assets/l', '.', false],
  ['assets/l', '../assets/b', false],
  ['assets/l', '../x', true],
  ['assets/a/l', '../../../x', true],
  ['assets/l', '/etc', true],
  ['assets/l', 'a/../../assetsx', true],
])('a link %s to %s leads out: %s', (path, target, out) => {
  expect(leadsOut(path, target, 'assets')).toBe(out);
});
