// Makes docker/app/seed/tools.sql.gz: the sample data of the shipped app.
//
// 16,765 invented tools, the same ones every time (a seeded generator), loaded through the app's real
// migrations into a throw-away PostgreSQL and written by a real pg_dump, so that importing the seed is
// importing what a user would bring: tables, a view, functions, a trigger, and the migrator's history.
//
// Needs PostgreSQL's server programs (initdb, postgres, pg_dump) and `npm ci` in docker/app.
//   node scripts/make-seed.mjs [output file]
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { generateCatalogue } from './make-seed-catalogue.mjs';

const APP = join(import.meta.dirname, '..', 'docker', 'app');
const ROLE = 'video_ia_user';
const DATABASE = 'video_ia_net';
const { Client } = createRequire(join(APP, 'package.json'))('pg');

/** The oldest installed server, so that every newer one can read its dump. */
function findPostgres() {
  if (process.env.PG_BIN) return process.env.PG_BIN;
  const base = '/usr/lib/postgresql';
  const majors = existsSync(base)
    ? readdirSync(base)
        .map(Number)
        .filter((major) => major >= 15)
    : [];
  const oldest = Math.min(...majors);
  if (!Number.isFinite(oldest)) {
    throw new Error('cannot find PostgreSQL 15 or newer: install the package postgresql, or set PG_BIN');
  }
  return join(base, String(oldest), 'bin');
}

/** PostgreSQL refuses to run as root: as root, become the user postgres. */
function findAccount() {
  if (process.getuid() !== 0) return {};
  const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function findFreePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startCluster(bin, account, folder) {
  const data = join(folder, 'data');
  const run = { ...account, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } };
  const options = ['-D', data, '-U', 'maker', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  execFileSync(join(bin, 'initdb'), options, { ...run, stdio: 'ignore' });
  const port = await findFreePort();
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: folder, fsync: 'off' };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...flags], {
    ...run,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await new Promise((resolve, reject) => {
    let log = '';
    server.stderr.on('data', (chunk) => {
      log += chunk;
      if (log.includes('ready to accept connections')) resolve();
    });
    server.once('exit', (code) => reject(new Error(`cannot start PostgreSQL: exit ${code}\n${log}`)));
  });
  server.removeAllListeners('exit');
  const stop = async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGINT');
    await ended;
  };
  return { port, run, stop };
}

async function withClient(url, work) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function insertRows(client, table, rows) {
  const columns = Object.keys(rows[0]).join(', ');
  for (let start = 0; start < rows.length; start += 2000) {
    const batch = JSON.stringify(rows.slice(start, start + 2000));
    await client.query(
      `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table}, $1)`,
      [batch],
    );
  }
}

async function load(client) {
  const { categories, tools, links } = generateCatalogue();
  await client.query('BEGIN');
  await insertRows(client, 'categories', categories);
  await insertRows(client, 'tools', tools);
  await insertRows(client, 'tool_links', links);
  for (const table of ['categories', 'tools']) {
    await client.query(
      `SELECT setval(pg_get_serial_sequence('${table}', 'id'), (SELECT max(id) FROM ${table}))`,
    );
  }
  // The same seed whenever it is made.
  await client.query(
    "UPDATE pgmigrations SET run_on = timestamp '2026-01-05 09:00:00' + id * interval '1 week'",
  );
  await client.query('COMMIT');
  return { categories: categories.length, tools: tools.length, links: links.length };
}

function dump(bin, url, run) {
  const pgDump = join(bin, 'pg_dump');
  const help = execFileSync(pgDump, ['--help'], { encoding: 'utf8' });
  // Newer minor versions write a random key into the dump; a fixed one keeps the file the same.
  const key = help.includes('--restrict-key') ? ['--restrict-key=ToolDirectorySeed'] : [];
  return execFileSync(pgDump, ['--no-owner', '--no-privileges', ...key, `--dbname=${url}`], {
    ...run,
    maxBuffer: 256 * 1024 * 1024,
  });
}

const bin = findPostgres();
const output = process.argv[2] ?? join(APP, 'seed', 'tools.sql.gz');
const folder = mkdtempSync(join(tmpdir(), 'make-seed-'));
const account = findAccount();
if (account.uid !== undefined) chownSync(folder, account.uid, account.gid);
let cluster;
try {
  cluster = await startCluster(bin, account, folder);
  const url = (role, database) => `postgres://${role}@127.0.0.1:${cluster.port}/${database}`;
  await withClient(url('maker', 'postgres'), async (client) => {
    await client.query(`CREATE ROLE ${ROLE} LOGIN`);
    await client.query(`CREATE DATABASE ${DATABASE} OWNER ${ROLE}`);
  });
  const env = { ...process.env, DATABASE_URL: url(ROLE, DATABASE) };
  execFileSync(process.execPath, [join(APP, 'migrate.mjs')], { env, stdio: 'inherit' });
  const counts = await withClient(url(ROLE, DATABASE), load);
  const sql = dump(bin, url(ROLE, DATABASE), cluster.run);
  const packed = gzipSync(sql, { level: 9 });
  mkdirSync(join(output, '..'), { recursive: true });
  writeFileSync(output, packed);
  console.log(
    `${output}: ${counts.tools} tools, ${counts.categories} categories, ${counts.links} links; ` +
      `${(sql.length / 1e6).toFixed(1)} MB of SQL, ${(packed.length / 1e6).toFixed(2)} MB packed`,
  );
} finally {
  await cluster?.stop();
  rmSync(folder, { recursive: true, force: true });
}
