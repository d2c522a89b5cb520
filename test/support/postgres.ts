/** A throw-away volume and our own programs on it, each a child as PID 1 would start it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { BackupsPlan, DatabasePlan } from '../../src/config/plan.ts';
import type { JobsPlan } from '../../src/config/plan-jobs.ts';
import type { ProgramName } from '../../src/config/plan-runs.ts';
import type { Assignment, Report } from '../../src/protocol/channel.ts';
import { findIdentity, type Identity } from '../../src/system/users.ts';
import { freePorts } from './free-ports.ts';
import { ownMain } from './own-main.ts';

/** As system/own-program.ts has them. */
const FLAGS = ['--max-semi-space-size=1', '--disable-warning=ExperimentalWarning'];
const isRoot = process.geteuid?.() === 0;

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly reports: readonly Report[];
  readonly stderr: string;
  /** Of the failure report, if there was one. */
  readonly failure: string | undefined;
  readonly notes: readonly string[];
  readonly result: unknown;
}

export interface RunOptions {
  readonly plan?: Partial<DatabasePlan>;
  readonly backups?: Partial<BackupsPlan>;
  readonly jobs?: JobsPlan;
  readonly input?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** What PID 1 hands to `cluster`. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** As a program without a supervisor, before anything is laid out. */
  readonly asRoot?: boolean;
  /** Called with each report as it comes. */
  readonly onReport?: (report: Report, child: ChildProcess) => void;
}

export class TestVolume {
  readonly root: string;
  readonly dataDir: string;
  readonly runDir: string;
  readonly plan: DatabasePlan;
  readonly env: Record<string, string>;
  private readonly user: Identity | undefined;
  private server: ChildProcess | undefined;
  serverLog = '';

  constructor(root: string, plan: DatabasePlan, env: Record<string, string>) {
    this.root = root;
    this.dataDir = join(root, 'data');
    this.runDir = join(root, 'run');
    this.plan = plan;
    this.env = env;
    this.user = isRoot ? findIdentity('postgres') : undefined;
  }

  /** Runs one program to its end, as root where PID 1 would, else as the database's user. */
  run(name: ProgramName, options: RunOptions = {}): Promise<Ended> {
    const child = this.start(name, options);
    return new Promise((resolve) => {
      const reports: Report[] = [];
      let stderr = '';
      readReports(child, (report) => {
        reports.push(report);
        options.onReport?.(report, child);
        // It goes on until nobody wants its figures any more.
        if (name === 'measure' && report.type === 'result') (child.stdio[3] as Socket).end();
      });
      child.stderr?.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      child.on('close', (code, signal) => {
        const failure = reports.find((report) => report.type === 'failure');
        const result = reports.find((report) => report.type === 'result');
        resolve({
          code,
          signal,
          reports,
          stderr: readableLog(stderr),
          failure:
            failure && `${failure.message}${failure.remedy === undefined ? '' : `\n  ${failure.remedy}`}`,
          notes: reports.flatMap((report) => (report.type === 'note' ? [report.text] : [])),
          result: result?.value,
        });
      });
    });
  }

  /** Starts the server and resolves when it accepts connections. Its pid is the postmaster's. */
  async startServer(options: RunOptions = {}): Promise<number> {
    const child = this.start('database', options);
    this.server = child;
    this.serverLog = '';
    const ready = new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        this.serverLog += chunk.toString();
        if (this.serverLog.includes('database system is ready to accept connections')) resolve();
      });
      child.once('close', (code) => reject(new Error(`the server ended with ${code}: ${this.serverLog}`)));
    });
    // An unanswered rejection after ready is the server's normal end.
    ready.catch(() => undefined);
    await ready;
    return child.pid ?? 0;
  }

  /** SIGINT, as the stop ladder does; resolves to the exit code. */
  async stopServer(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    const { server } = this;
    this.server = undefined;
    if (!server || server.exitCode !== null || server.signalCode !== null) return server?.exitCode ?? null;
    return new Promise((resolve) => {
      server.once('close', (code) => resolve(code));
      server.kill(signal);
    });
  }

  /** cluster, database, setup: a whole boot. */
  async boot(options: RunOptions = {}): Promise<Ended> {
    const cluster = await this.run('cluster', options);
    if (cluster.code !== 0) return cluster;
    await this.startServer(options);
    return this.run('setup', options);
  }

  /** The defaults of a plan, but for the disk: a test does not depend on how full it is. */
  private backups(): BackupsPlan {
    return {
      keep: { days: 30, weekly: 8, monthly: 6, verified: 3 },
      assets: [join(this.dataDir, 'assets')],
      config: [join(this.dataDir, 'config')],
      recipients: [],
      diskFloor: 0,
      pointInTime: false,
      offsite: undefined,
    };
  }

  password(): string {
    return this.plan.password ?? readFileSync(join(this.dataDir, 'secrets', 'app_password'), 'utf8').trim();
  }

  /** A session of the application, or of anybody with a password. */
  async query<T extends pg.QueryResultRow>(
    sql: string,
    database = this.plan.name,
    values: unknown[] = [],
  ): Promise<T[]> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.plan.port,
      user: this.plan.user,
      password: this.password(),
      database,
    });
    await client.connect();
    try {
      return (await client.query<T>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** As the superuser by peer: the tests run as root or as the user of the cluster. */
  async admin<T extends pg.QueryResultRow>(sql: string, database = 'postgres'): Promise<T[]> {
    const client = new pg.Client({
      host: join(this.runDir, 'pg'),
      port: this.plan.port,
      user: 'bulkhead',
      database,
    });
    await client.connect();
    try {
      return (await client.query<T>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async databases(): Promise<string[]> {
    const rows = await this.admin<{ datname: string }>('SELECT datname FROM pg_database ORDER BY datname');
    return rows
      .map(({ datname }) => datname)
      .filter((name) => !name.startsWith('template') && name !== 'postgres');
  }

  async remove(): Promise<void> {
    await this.stopServer('SIGQUIT');
    rmSync(this.root, { recursive: true, force: true });
  }

  /** What PID 1 would hand to this program. */
  assignment(name: ProgramName, options: RunOptions = {}): Assignment {
    const plan = { ...this.plan, ...options.plan };
    const secret = join(this.dataDir, 'secrets', 'app_password');
    const appPassword =
      plan.password ?? (existsSync(secret) ? readFileSync(secret, 'utf8').trim() : undefined);
    return {
      program: name,
      dataDir: this.dataDir,
      runDir: this.runDir,
      database: plan,
      backups: { ...this.backups(), ...options.backups },
      isolated: isRoot,
      secrets: {
        ...(appPassword === undefined ? {} : { appPassword }),
        ...options.secrets,
      },
      ...(options.jobs && { jobs: options.jobs }),
      input: options.input ?? {},
    };
  }

  private start(name: ProgramName, options: RunOptions): ChildProcess {
    const identity = name === 'cluster' || options.asRoot ? undefined : this.user;
    const child = spawn(process.execPath, [...FLAGS, ownMain, 'program', name], {
      cwd: '/',
      env: {
        PATH: process.env.PATH ?? '',
        NODE_COMPILE_CACHE: join(tmpdir(), 'bulkhead-test-cache'),
        ...this.env,
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      ...(identity && { uid: identity.uid, gid: identity.gid }),
    });
    const channel = child.stdio[3] as Socket;
    channel.on('error', () => undefined);
    channel.write(`${JSON.stringify(this.assignment(name, options))}\n`);
    return child;
  }
}

export interface VolumeOptions {
  readonly plan?: Partial<DatabasePlan>;
  readonly env?: Record<string, string>;
}

/** An empty volume; nothing runs yet. `await volume.remove()` ends and deletes all. */
export async function makeEmptyVolume({ plan, env }: VolumeOptions = {}): Promise<TestVolume> {
  const root = mkdtempSync(join(tmpdir(), 'bulkhead-db-'));
  chmodSync(root, 0o755);
  const volume = new TestVolume(
    root,
    {
      name: 'tools',
      user: 'tools_user',
      password: undefined,
      port: (await freePorts(1))[0] ?? 0,
      systemUser: 'postgres',
      importFrom: undefined,
      sample: undefined,
      init: [],
      settings: { fsync: 'off' },
      ...plan,
    },
    env ?? {},
  );
  mkdirSync(volume.dataDir);
  mkdirSync(volume.runDir);
  return volume;
}

/** Lines of the program's log as people see them. */
function readableLog(stderr: string): string {
  return stderr.replaceAll(/^\{"level":.*\}$/gm, (line) => String(JSON.parse(line).msg));
}

function readReports(child: ChildProcess, onReport: (report: Report) => void): void {
  let text = '';
  child.stdio[3]?.on('data', (chunk: Buffer) => {
    const lines = (text + chunk.toString()).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) onReport(JSON.parse(line));
  });
}
