/**
 * Imports a real database nobody here wrote: Debian's zabbix-server-pgsql (173 tables, 130,102 rows), dumped in every
 * format, each through the whole pipeline of `setup` on an empty volume, beside the plain tool that reads the format.
 *
 *   node bench/import-zabbix.ts [rounds] [formats, with commas]
 *
 * Needs Debian with apt, a PostgreSQL with its client programs, and `npm run build`: what is shipped is measured.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { findBinaries } from '../src/postgres/binaries.ts';
import { makeEmptyVolume, type TestVolume } from '../test/support/postgres.ts';

const FORMATS = ['plain', 'gzip', 'zstd', 'custom', 'directory', 'tar', 'cluster'] as const;
type Format = (typeof FORMATS)[number];

const rounds = Number(process.argv[2] ?? 3);
const wanted = process.argv[3]?.split(',') ?? FORMATS;
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-zabbix-'));
chmodSync(folder, 0o755);
const { bin } = findBinaries({ libraryDir: folder });

try {
  const files = download();
  const source = await makeEmptyVolume({ plan: { settings: {} } });
  try {
    await source.boot();
    await source.admin('CREATE DATABASE source');
    for (const file of files) psql(source, 'bulkhead', 'source', ['-q', '-f', file]);
    const expected = await countAll(source, 'source');
    console.log(`source: ${expected.tables} tables, ${expected.rows.toLocaleString('en-US')} rows`);
    const dumps = await makeDumps(source);
    const rows = [];
    for (const format of FORMATS.filter((each) => wanted.includes(each)))
      rows.push(await measure(format, dumps[format], expected));
    console.table(Object.fromEntries(rows));
  } finally {
    await source.remove();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The three files in the order of the package's README. */
function download(): string[] {
  const run = { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'] };
  execFileSync('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', 'zabbix-server-pgsql'], run);
  const deb = readdirSync(folder).find((name) => name.endsWith('.deb')) ?? '';
  execFileSync('dpkg', ['-x', deb, 'package'], run);
  return ['schema', 'images', 'data'].map((name) => {
    const packed = join(folder, 'package/usr/share/zabbix-server-pgsql', `${name}.sql.gz`);
    const path = join(folder, `${name}.sql`);
    writeFileSync(path, gunzipSync(readFileSync(packed)));
    return path;
  });
}

async function makeDumps(volume: TestVolume): Promise<Record<Format, string>> {
  const dump = (name: string, ...flags: string[]): string => {
    const path = join(folder, name);
    execFileSync(join(bin, 'pg_dump'), [...connection(volume, 'bulkhead', 'source'), '-f', path, ...flags]);
    return path;
  };
  const plain = dump('plain.sql');
  const gzip = join(folder, 'plain.sql.gz');
  const zstd = join(folder, 'plain.sql.zst');
  writeFileSync(gzip, gzipSync(readFileSync(plain)));
  writeFileSync(zstd, zstdCompressSync(readFileSync(plain)));
  const directory = dump('directory', '-Fd');
  chmodSync(directory, 0o755);
  const files = { plain, gzip, zstd, custom: dump('custom', '-Fc'), directory, tar: dump('tar', '-Ft') };
  // Of a cluster in which the application's database is the one that counts.
  await volume.admin('DROP DATABASE tools');
  await volume.admin('ALTER DATABASE source RENAME TO tools');
  const cluster = join(folder, 'cluster.sql');
  const [host, ...place] = connection(volume, 'bulkhead', 'postgres').slice(0, 6);
  execFileSync(join(bin, 'pg_dumpall'), [host ?? '', ...place, '-f', cluster]);
  return { ...files, cluster };
}

async function measure(
  format: Format,
  dump: string,
  expected: Counted,
): Promise<[string, Record<string, unknown>]> {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const volume = await makeEmptyVolume({ plan: { settings: {} } });
    try {
      mkdirSync(join(volume.dataDir, 'import'));
      cpSync(dump, join(volume.dataDir, 'import', 'dump'), { recursive: true });
      await volume.run('cluster');
      await volume.startServer();
      const began = performance.now();
      const setup = await volume.run('setup');
      ours.push(performance.now() - began);
      if (setup.code !== 0) throw new Error(setup.stderr);
      const counted = await countAll(volume, 'tools');
      if (counted.fingerprint !== expected.fingerprint)
        throw new Error(`${format}: ${JSON.stringify(counted)}`);
      theirs.push(await timeTool(volume, format, dump));
    } finally {
      await volume.remove();
    }
  }
  const size =
    format === 'directory'
      ? readdirSync(dump).reduce((sum, name) => sum + statSync(join(dump, name)).size, 0)
      : statSync(dump).size;
  return [
    format,
    {
      'MB on disk': Number((size / 1024 ** 2).toFixed(1)),
      tables: expected.tables,
      rows: expected.rows,
      'bulkhead setup, s': seconds(ours),
      'tool alone, s': seconds(theirs),
      ratio: Number((median(ours) / median(theirs)).toFixed(2)),
    },
  ];
}

/** As one would by hand: a new database of the same role, psql in one transaction or pg_restore on two connections. */
async function timeTool(volume: TestVolume, format: Format, dump: string): Promise<number> {
  if (format === 'cluster') return timePsqlOfCluster(dump);
  const began = performance.now();
  await volume.admin('CREATE DATABASE byhand OWNER tools_user TEMPLATE template0');
  if (format === 'custom' || format === 'directory' || format === 'tar') {
    execFileSync(
      join(bin, 'pg_restore'),
      [
        ...connection(volume, 'tools_user', 'byhand'),
        '--exit-on-error',
        '--no-owner',
        '--no-privileges',
        ...(format === 'tar' ? [] : ['-j2']),
        dump,
      ],
      { env: { ...process.env, PGPASSWORD: volume.password() } },
    );
  } else {
    const reader = { plain: 'cat', gzip: 'gzip -dc', zstd: 'zstd -dc' }[format];
    execFileSync(
      'sh',
      [
        '-c',
        `${reader} "$0" | grep -v 'OWNER TO' | "$@"`,
        dump,
        join(bin, 'psql'),
        ...psqlFlags(volume, 'tools_user', 'byhand'),
        '-1',
      ],
      { env: { ...process.env, PGPASSWORD: volume.password() }, stdio: ['ignore', 'ignore', 'inherit'] },
    );
  }
  await volume.query('ANALYZE', 'byhand');
  return performance.now() - began;
}

/** Into a cluster of its own, by the superuser, as pg_dumpall's page says. */
async function timePsqlOfCluster(dump: string): Promise<number> {
  const volume = await makeEmptyVolume({ plan: { settings: {} } });
  try {
    await volume.run('cluster');
    await volume.startServer();
    const began = performance.now();
    const argv = [...connection(volume, 'bulkhead', 'postgres'), '-X', '-q', '-f', dump];
    // That the superuser is there already is an error it goes on after.
    execFileSync(join(bin, 'psql'), argv, { stdio: 'ignore' });
    await volume.admin('ANALYZE', 'tools');
    return performance.now() - began;
  } finally {
    await volume.remove();
  }
}

interface Counted {
  readonly tables: number;
  readonly rows: number;
  readonly fingerprint: string;
}

async function countAll(volume: TestVolume, database: string): Promise<Counted> {
  const [row] = await volume.admin<{ tables: number; rows: number; fingerprint: string }>(
    `SELECT count(*)::int AS tables, sum(n)::int AS rows, md5(string_agg(name || n, ',' ORDER BY name)) AS fingerprint
       FROM (SELECT c.relname AS name, (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM ' || c.oid::regclass,
               false, true, '')))[1]::text::int AS n
               FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace) counted`,
    database,
  );
  if (!row) throw new Error('nothing counted');
  return row;
}

function connection(volume: TestVolume, user: string, database: string): string[] {
  return [
    '-h',
    user === 'bulkhead' ? join(volume.runDir, 'pg') : '127.0.0.1',
    '-p',
    String(volume.plan.port),
    '-U',
    user,
    '-d',
    database,
  ];
}

function psqlFlags(volume: TestVolume, user: string, database: string): string[] {
  return [...connection(volume, user, database), '-X', '-q', '-v', 'ON_ERROR_STOP=1'];
}

function psql(volume: TestVolume, user: string, database: string, args: string[]): void {
  execFileSync(join(bin, 'psql'), [...psqlFlags(volume, user, database), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

function seconds(times: readonly number[]): number {
  return Number((median(times) / 1000).toFixed(2));
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}
