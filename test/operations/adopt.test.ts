import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { findBinaries, findTool } from '../../src/postgres/binaries.ts';
import { makeOwned } from '../../src/postgres/initdb.ts';
import { databaseUser } from '../../src/postgres/system-user.ts';
import { runTool } from '../../src/system/commands.ts';
import { makeEmptyVolume, type TestVolume } from '../support/postgres.ts';

const binaries = findBinaries({ libraryDir: '/tmp' });
const user = databaseUser('postgres');
let volume: TestVolume;
afterEach(() => volume.remove());

async function tool(argv: readonly string[], input?: string): Promise<void> {
  const [name = '', ...rest] = argv;
  const env = { PATH: process.env.PATH, ...binaries.env };
  const result = await runTool([join(binaries.bin, name), ...rest], { env, identity: user, input });
  expect(`${name}: ${result.failed ? result.stderr : 'well'}`).toBe(`${name}: well`);
}

/** As docker-library's image leaves it: the application's role is the superuser that initdb made. */
async function makeForeign(role: string): Promise<string> {
  const folder = join(volume.root, 'old', String(binaries.major), 'docker');
  mkdirSync(dirname(dirname(folder)));
  for (const path of [join(volume.root, 'old'), dirname(folder)])
    chmodSync(existsSync(path) ? path : makeAt(path), 0o755);
  makeOwned(folder, user);
  await tool([
    'initdb',
    '-D',
    folder,
    '-U',
    role,
    '--auth=trust',
    '--locale=C.UTF-8',
    '--encoding=UTF8',
    '--no-sync',
  ]);
  const sql = [`CREATE ROLE reader LOGIN PASSWORD 'secret'`, 'CREATE DATABASE tools'].join('\n');
  await tool(['postgres', '--single', '-D', folder, 'postgres'], `${sql}\n`);
  await tool(
    ['postgres', '--single', '-D', folder, 'tools'],
    'CREATE TABLE t AS SELECT i, md5(i::text) AS h FROM generate_series(1, 3000) i\nGRANT SELECT ON t TO reader\n',
  );
  writeFileSync(join(folder, 'postgresql.conf'), "shared_preload_libraries = 'not_here'\nssl = on\n");
  return folder;
}

function makeAt(path: string): string {
  mkdirSync(path);
  return path;
}

test.skipIf(!findTool(binaries, 'pg_dump'))(
  'a data folder of another image becomes the cluster of an empty volume',
  async () => {
    volume = await makeEmptyVolume();
    const folder = await makeForeign('tools_user');
    const before = readdirSync(folder, { recursive: true }).length;
    const input = { path: join(volume.root, 'old') };
    const dry = await volume.run('adopt', { input: { ...input, dryRun: '1' }, asRoot: true });
    expect(dry.result).toMatchObject({ folder, from: binaries.major });
    expect(existsSync(join(volume.dataDir, 'pg'))).toBe(false);
    const adopted = await volume.run('adopt', { input, asRoot: true });
    expect(adopted.failure).toBeUndefined();
    expect(readdirSync(folder, { recursive: true }).length).toBe(before);
    expect(readFileSync(join(folder, 'postgresql.conf'), 'utf8')).toContain('not_here');
    expect((await volume.boot()).failure).toBeUndefined();
    expect(await volume.query('SELECT count(*)::int AS n, count(h)::int AS h FROM t')).toEqual([
      { n: 3000, h: 3000 },
    ]);
    expect(
      await volume.admin(`SELECT rolname, rolsuper FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1`),
    ).toEqual([
      { rolname: 'bulkhead', rolsuper: true },
      { rolname: 'reader', rolsuper: false },
      { rolname: 'tools_user', rolsuper: false },
    ]);
    expect(await volume.admin('SELECT kind FROM bulkhead.ledger')).toEqual([{ kind: 'adopt' }]);
    const again = await volume.run('adopt', { input, asRoot: true });
    expect(again.failure).toContain('this volume has a cluster');
  },
  60_000,
);

test.skipIf(!findTool(binaries, 'pg_dump'))(
  'a database of another name or owner is named, and nothing is left behind',
  async () => {
    volume = await makeEmptyVolume();
    await makeForeign('somebody');
    const refused = await volume.run('adopt', { input: { path: join(volume.root, 'old') }, asRoot: true });
    expect(refused.code).toBe(5);
    expect(refused.failure).toContain('no database tools of tools_user, but tools of somebody');
    expect(readdirSync(join(volume.dataDir, 'pg')).filter((name) => name !== 'op.lock')).toEqual([]);
  },
  60_000,
);
