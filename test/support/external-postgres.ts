/** A real PostgreSQL that is not ours: by a host name that is no loopback, as a container's neighbour would be. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { findBinaries } from '../../src/postgres/binaries.ts';
import { findIdentity, type Identity } from '../../src/system/users.ts';
import { freePorts } from './supervisor.ts';

const isRoot = process.geteuid?.() === 0;

export interface Authority {
  readonly rootFile: string;
  readonly host: string;
}

export class ExternalPostgres {
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  private readonly user: Identity | undefined;
  private readonly bin: string;
  private readonly env: Record<string, string>;
  private child: ChildProcess | undefined;
  log = '';

  constructor(folder: string, host: string, port: number) {
    this.folder = folder;
    this.host = host;
    this.port = port;
    this.user = isRoot ? findIdentity('postgres') : undefined;
    const { bin, env } = findBinaries({ libraryDir: join(folder, 'lib') });
    this.bin = bin;
    this.env = { PATH: process.env.PATH ?? '', ...env };
  }

  /** An own role `app` with the password `app secret/1` and its empty database `app`. */
  async create(): Promise<void> {
    const { folder, user } = this;
    mkdirSync(join(folder, 'sockets'));
    if (user) for (const path of [folder, join(folder, 'sockets')]) chownSync(path, user.uid, user.gid);
    const argv = [
      '--pgdata',
      this.data,
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C.UTF-8',
    ];
    execFileSync(join(this.bin, 'initdb'), [...argv, '--no-sync'], {
      cwd: '/',
      env: this.env,
      ...this.ids,
      stdio: 'pipe',
    });
    this.allow('host all all all scram-sha-256');
    await this.start();
    await this.admin(`CREATE ROLE app LOGIN PASSWORD '${PASSWORD}'`);
    await this.admin('CREATE DATABASE app OWNER app');
  }

  /** Besides the socket, which is open to the tests. */
  allow(...lines: string[]): void {
    writeFileSync(join(this.data, 'pg_hba.conf'), `local all all trust\n${lines.join('\n')}\n`);
  }

  /** A root, a certificate of it for this host, and a server that shows it from its next start on. */
  encrypt(name = this.host): Authority {
    const { folder, user } = this;
    const openssl = (...args: string[]): void => {
      execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    };
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=Test root',
      '-keyout',
      'root.key',
      '-out',
      'root.crt',
    );
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      'server.key',
      '-out',
      'server.csr',
    );
    const kind = /^[\d.]+$/.test(name) ? 'IP' : 'DNS';
    writeFileSync(join(folder, 'san.cnf'), `subjectAltName=${kind}:${name}\n`);
    openssl(
      'x509',
      '-req',
      '-in',
      'server.csr',
      '-CA',
      'root.crt',
      '-CAkey',
      'root.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      'san.cnf',
      '-out',
      'server.crt',
    );
    chmodSync(join(folder, 'server.key'), 0o600);
    if (user)
      for (const file of ['server.key', 'server.crt']) chownSync(join(folder, file), user.uid, user.gid);
    chmodSync(join(folder, 'root.crt'), 0o644);
    return { rootFile: join(folder, 'root.crt'), host: name };
  }

  async start(...settings: string[]): Promise<void> {
    const options = [
      `port=${this.port}`,
      'listen_addresses=*',
      `unix_socket_directories=${join(this.folder, 'sockets')}`,
      'fsync=off',
      ...settings,
    ];
    const child = spawn(
      join(this.bin, 'postgres'),
      ['-D', this.data, ...options.flatMap((each) => ['-c', each])],
      {
        cwd: '/',
        env: this.env,
        stdio: ['ignore', 'ignore', 'pipe'],
        ...this.ids,
      },
    );
    this.child = child;
    await new Promise<void>((resolve, reject) => {
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        this.log += text;
        if (this.log.includes('ready to accept connections')) resolve();
      });
      child.once('close', (code) => reject(new Error(`the server ended with ${code}: ${this.log}`)));
    });
  }

  async startEncrypted(...settings: string[]): Promise<void> {
    await this.start(
      'ssl=on',
      `ssl_cert_file=${this.folder}/server.crt`,
      `ssl_key_file=${this.folder}/server.key`,
      ...settings,
    );
  }

  get isRunning(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
    const { child } = this;
    this.child = undefined;
    this.log = '';
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill(signal);
    await gone;
  }

  url(changes: { password?: string; name?: string; query?: string } = {}): string {
    const { password = PASSWORD, name = 'app', query = '' } = changes;
    return `postgresql://app:${encodeURIComponent(password)}@${this.host}:${this.port}/${name}${query}`;
  }

  /** As the superuser of that server, whom only the tests know. */
  async admin<T extends pg.QueryResultRow>(sql: string, database = 'postgres'): Promise<T[]> {
    const client = new pg.Client({
      host: join(this.folder, 'sockets'),
      port: this.port,
      user: 'postgres',
      database,
    });
    await client.connect();
    try {
      return (await client.query<T>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async remove(): Promise<void> {
    await this.stop('SIGQUIT');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private get ids(): { uid?: number; gid?: number } {
    return this.user ? { uid: this.user.uid, gid: this.user.gid } : {};
  }
}

/** With what must be percent-encoded. */
export const PASSWORD = 'app secret/1';

/** Started, with the role and the database `app`. `await server.remove()` ends and deletes all. */
export async function makeExternalPostgres(): Promise<ExternalPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-external-'));
  chmodSync(folder, 0o755);
  const [port = 0] = await freePorts(1);
  const server = new ExternalPostgres(folder, await foreignHost(), port);
  try {
    await server.create();
    return server;
  } catch (error) {
    await server.remove();
    throw error;
  }
}

/** Where the machine does not know its own name, the one address that means it and is no loopback. */
async function foreignHost(): Promise<string> {
  try {
    await lookup(hostname());
    return hostname();
  } catch {
    return '0.0.0.0';
  }
}
