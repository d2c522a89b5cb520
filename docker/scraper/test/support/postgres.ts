import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';

const migrations = join(import.meta.dirname, '..', '..', '..', 'app', 'migrations');

/** Debian's newest server programs, or PG_BIN. */
function findPrograms(): string {
  if (process.env.PG_BIN) return process.env.PG_BIN;
  const base = '/usr/lib/postgresql';
  const majors = existsSync(base) ? readdirSync(base).map(Number).filter(Number.isInteger) : [];
  if (majors.length === 0)
    throw new Error('cannot find PostgreSQL: install the package postgresql, or set PG_BIN');
  return join(base, String(Math.max(...majors)), 'bin');
}

/** PostgreSQL refuses to run as root: as root, become the user postgres. */
function findAccount(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

export interface Directory {
  readonly url: string;
  readonly client: Client;
  stop(): Promise<void>;
}

/** A throw-away PostgreSQL with the app's tables, as its migrations make them. */
export async function startDirectory(): Promise<Directory> {
  const bin = findPrograms();
  const account = findAccount();
  const folder = mkdtempSync(join(tmpdir(), 'scraper-postgres-'));
  if (account.uid !== undefined && account.gid !== undefined) chownSync(folder, account.uid, account.gid);
  const data = join(folder, 'data');
  const run = { ...account, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C' } };
  const options = ['-D', data, '-U', 'app', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
  execFileSync(join(bin, 'initdb'), options, { ...run, stdio: 'ignore' });
  const port = await findFreePort();
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: folder, fsync: 'off' };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(bin, 'postgres'), ['-D', data, ...flags], {
    ...run,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    server.stderr.on('data', (chunk) => {
      log += chunk;
      if (log.includes('ready to accept connections')) resolve();
    });
    server.once('exit', (code) => reject(new Error(`cannot start PostgreSQL: exit ${code}\n${log}`)));
  });
  const url = `postgres://app@127.0.0.1:${port}/postgres`;
  const client = new Client({ connectionString: url });
  await client.connect();
  for (const name of readdirSync(migrations).toSorted()) {
    const [up = ''] = readFileSync(join(migrations, name), 'utf8').split('-- Down Migration');
    await client.query(up);
  }
  const stop = async () => {
    await client.end();
    const ended = once(server, 'exit');
    server.kill('SIGINT');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { url, client, stop };
}
