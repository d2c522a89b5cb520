/**
 * Databases nobody here wrote, out of packages of Debian: DAViCal (functions, rules of recurrence, grants), Icinga's IDO
 * and Icinga DB (domains, enums, citext, procedures). Each three times through `setup` on an empty volume: its own SQL files,
 * one after the other, as a dump that nobody's pg_dump wrote; and a dump of it as plain SQL and as a custom archive, with
 * the rows, the objects and the fingerprints compared with what psql and the package's own order have made.
 *
 *   node bench/import-packages.ts
 *
 * Needs Debian with apt, a PostgreSQL with its client programs and contrib, and `npm run build`. The files are under the GPL,
 * which is why they are fetched and not kept.
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
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findBinaries } from '../src/postgres/binaries.ts';
import {
  compareFingerprints,
  fingerprintTables,
  type TableFingerprint,
} from '../src/postgres/fingerprint.ts';
import { makeEmptyVolume, type TestVolume } from '../test/support/postgres.ts';

interface Product {
  readonly packages: readonly string[];
  /** Under /usr/share, in the order in which the package's own script runs them. */
  readonly files: readonly string[];
  /** Roles its grants are for. */
  readonly roles: readonly string[];
}

const PRODUCTS: Readonly<Record<string, Product>> = {
  davical: {
    packages: ['davical', 'libawl-php'],
    files: [
      'awl/dba/awl-tables.sql',
      'awl/dba/schema-management.sql',
      'davical/dba/davical.sql',
      'davical/dba/rrule_functions.sql',
      'davical/dba/caldav_functions.sql',
      'davical/dba/views/dav_principal.sql',
      'davical/dba/base-data.sql',
      'davical/dba/supported_locales.sql',
    ],
    roles: ['davical_dba', 'davical_app'],
  },
  'icinga2-ido': {
    packages: ['icinga2-ido-pgsql'],
    files: ['icinga2-ido-pgsql/schema/pgsql.sql'],
    roles: [],
  },
  icingadb: { packages: ['icingadb'], files: ['icingadb/schema/pgsql/schema.sql'], roles: [] },
};

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-packages-'));
chmodSync(folder, 0o755);
const { bin } = findBinaries({ libraryDir: folder });

const OBJECTS = `
  SELECT (SELECT count(*)::int FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r') AS tables,
         (SELECT count(*)::int FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')) AS views,
         (SELECT count(*)::int FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'i') AS indexes,
         (SELECT count(*)::int FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S') AS sequences,
         (SELECT count(*)::int FROM pg_proc WHERE pronamespace = 'public'::regnamespace) AS functions,
         (SELECT count(*)::int FROM pg_trigger WHERE NOT tgisinternal) AS triggers,
         (SELECT count(*)::int FROM pg_constraint WHERE connamespace = 'public'::regnamespace) AS constraints,
         (SELECT count(*)::int FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e')) AS types`;

try {
  for (const [name, product] of Object.entries(PRODUCTS)) await walk(name, product);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function walk(name: string, product: Product): Promise<void> {
  const sql = fetch(name, product);
  const source = await makeEmptyVolume({ plan: { settings: {} } });
  try {
    await source.boot();
    for (const role of product.roles) await source.admin(`CREATE ROLE ${role} LOGIN`);
    await source.admin('CREATE DATABASE source');
    const said = execFileSync(
      'sh',
      ['-c', '"$@" 2>&1', 'psql', join(bin, 'psql'), ...at(source), '-X', '-q', '-f', sql],
      {
        encoding: 'utf8',
      },
    );
    const errors = said.split('\n').filter((line) => /ERROR/.test(line));
    const made = await contentOf(source, 'source');
    console.log(`\n${name}: ${JSON.stringify(made.objects)}, ${rowsOf(made.tables)} rows`);
    for (const error of errors) console.log(`  psql goes on after: ${error.replace(/^.*ERROR:/, 'ERROR:')}`);
    const plain = join(folder, `${name}-plain.sql`);
    const custom = join(folder, `${name}.dump`);
    execFileSync(join(bin, 'pg_dump'), [...at(source), '-f', plain]);
    execFileSync(join(bin, 'pg_dump'), [...at(source), '-Fc', '-f', custom]);
    await tryIt('its own SQL', sql, made, { importTrustsIncomplete: true });
    await tryIt('pg_dump, plain', plain, made, {});
    await tryIt('pg_dump, custom', custom, made, {});
  } finally {
    await source.remove();
  }
}

/** One file of all, as `cat` would make it. */
function fetch(name: string, { packages, files }: Product): string {
  const into = join(folder, name);
  mkdirSync(into);
  const run = { cwd: into, stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'] };
  execFileSync('apt-get', ['-o', 'APT::Sandbox::User=root', 'download', ...packages], run);
  for (const deb of readdirSync(into).filter((each) => each.endsWith('.deb'))) {
    execFileSync('dpkg', ['-x', deb, 'package'], run);
  }
  const path = join(folder, `${name}.sql`);
  const text = files.map((file) => readFileSync(join(into, 'package/usr/share', file), 'utf8'));
  writeFileSync(path, text.join('\n'));
  return path;
}

async function tryIt(
  what: string,
  dump: string,
  made: Content,
  plan: { importTrustsIncomplete?: true },
): Promise<void> {
  const volume = await makeEmptyVolume({ plan: { settings: {}, ...plan } });
  try {
    mkdirSync(join(volume.dataDir, 'import'));
    cpSync(dump, join(volume.dataDir, 'import', 'dump'));
    await volume.run('cluster');
    await volume.startServer();
    const setup = await volume.run('setup');
    if (setup.code !== 0) {
      const left = (await volume.databases()).join(', ');
      console.log(
        `  ${what}: refused, and the databases are: ${left === '' ? 'none' : left}\n    ${setup.failure}`,
      );
      return;
    }
    const found = await contentOf(volume, 'tools');
    const differences = [
      ...compareFingerprints(made.tables, found.tables),
      ...(JSON.stringify(made.objects) === JSON.stringify(found.objects)
        ? []
        : [`objects: ${JSON.stringify(found.objects)}`]),
    ];
    console.log(
      `  ${what}: ${rowsOf(found.tables)} rows, ${differences.length === 0 ? 'equal' : differences.join('; ')}`,
    );
    for (const line of [...setup.notes, ...setup.stderr.split('\n')]) {
      if (/left out of the dump|made the roles|made by the superuser/.test(line))
        console.log(`    ${line.trim()}`);
    }
  } finally {
    await volume.remove();
  }
}

interface Content {
  readonly objects: Record<string, number> | undefined;
  readonly tables: readonly TableFingerprint[];
}

async function contentOf(volume: TestVolume, database: string): Promise<Content> {
  const [objects] = await volume.admin<Record<string, number>>(OBJECTS, database);
  const session = new pg.Client({
    host: join(volume.runDir, 'pg'),
    port: volume.plan.port,
    user: 'bulkhead',
    database,
  });
  await session.connect();
  const tables = await fingerprintTables(session).finally(() => session.end());
  return { objects, tables };
}

function rowsOf(tables: readonly TableFingerprint[]): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}

function at(volume: TestVolume): string[] {
  return ['-h', join(volume.runDir, 'pg'), '-p', String(volume.plan.port), '-U', 'bulkhead', '-d', 'source'];
}
