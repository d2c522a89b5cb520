/** Containers of the image under test: started, asked and removed by tests. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';

const DOCKER = process.env.DOCKER ?? 'docker';
export const IMAGE = process.env.BULKHEAD_TEST_IMAGE ?? 'bulkhead:core-test';
export const SCRAPER_IMAGE = process.env.BULKHEAD_TEST_SCRAPER_IMAGE ?? 'bulkhead:scraper-test';
export const FULL_IMAGE = process.env.BULKHEAD_TEST_FULL_IMAGE ?? 'bulkhead:full-test';

/** Core with the server of an older major beside its own. */
export const UPGRADE_IMAGE = process.env.BULKHEAD_TEST_UPGRADE_IMAGE ?? 'bulkhead:upgrade-test';

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the Docker client; never throws for an exit code. `input` goes to its stdin. */
export function docker(argv: readonly string[], input?: string): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(DOCKER, argv, { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

async function mustDocker(argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(argv);
  if (code !== 0) throw new Error(`docker ${argv.join(' ')} ended ${code}: ${stderr}`);
  return stdout.trim();
}

const containers = new Set<string>();
const volumes = new Set<string>();

/** Removes at the end of the file whatever it made. Call once at the top of a test file. */
export function useContainers(): void {
  afterAll(async () => {
    if (containers.size > 0) await docker(['rm', '-f', ...containers]);
    if (volumes.size > 0) await docker(['volume', 'rm', '-f', ...volumes]);
    containers.clear();
    volumes.clear();
  });
}

export async function makeVolume(): Promise<string> {
  const name = `bulkhead-test-${randomBytes(4).toString('hex')}`;
  await mustDocker(['volume', 'create', name]);
  volumes.add(name);
  return name;
}

export interface Ports {
  readonly app: number;
  readonly probes: number;
  readonly database: number;
  readonly api: number;
  /** Of the app's own figures, in tier full. */
  readonly metrics: number;
}

/** Containers run on the host's network, so each gets ports of its own. */
export async function freePorts(): Promise<Ports> {
  const servers = await Promise.all(Array.from({ length: 5 }, () => openServer()));
  const [app = 0, probes = 0, database = 0, api = 0, metrics = 0] = servers.map(({ port }) => port);
  await Promise.all(servers.map(({ close }) => close()));
  return { app, probes, database, api, metrics };
}

/** A server on a free port of all addresses. */
export function openServer(): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      resolve({ port, close: () => new Promise((closed) => server.close(() => closed())) });
    });
  });
}

export interface RunOptions {
  /** Undefined: no mount at all. */
  readonly volume?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly ports?: Ports;
  /** Instead of the image under test. */
  readonly image?: string;
  /** More arguments of `docker run`. */
  readonly args?: readonly string[];
  /** Arguments of `bulkhead up`. */
  readonly command?: readonly string[];
}

export interface Container {
  readonly name: string;
  readonly ports: Ports;
  exec(
    argv: readonly string[],
    options?: { user?: string; input?: string; env?: Record<string, string> },
  ): Promise<Finished>;
  /** Both streams, mixed as Docker kept them. */
  logs(): Promise<string>;
  inspect<T>(format: string): Promise<T>;
  /** HTTP status of a path on the probes' port, 0 where nothing answers, and its text. */
  probe(path: string, headers?: Record<string, string>): Promise<{ status: number; text: string }>;
  ready(): Promise<void>;
  /** Rows the app finds. */
  tools(): Promise<number>;
  /** What psql prints of a statement of the application's own role, without headers. */
  sql(statement: string): Promise<string>;
  /** `docker stop`; the exit code of PID 1. */
  stop(): Promise<number>;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Waits for the end; the exit code. */
  exitCode(): Promise<number>;
  processes(): Promise<Process[]>;
  remove(): Promise<void>;
}

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly uid: number;
  readonly state: string;
  readonly argv: string;
}

export async function runContainer(options: RunOptions = {}): Promise<Container> {
  const name = `bulkhead-test-${randomBytes(4).toString('hex')}`;
  const ports = options.ports ?? (await freePorts());
  const env = {
    PORT: String(ports.app),
    BULKHEAD_PORT: String(ports.probes),
    BULKHEAD_DB_PORT: String(ports.database),
    BULKHEAD_API_PORT: String(ports.api),
    APP_METRICS_PORT: String(ports.metrics),
    ...options.env,
  };
  await mustDocker([
    'run',
    '--detach',
    '--name',
    name,
    '--network',
    'host',
    ...(options.volume === undefined ? [] : ['--volume', `${options.volume}:/data`]),
    ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    ...(options.args ?? []),
    options.image ?? IMAGE,
    ...(options.command ?? []),
  ]);
  containers.add(name);
  return describeContainer(name, ports);
}

function describeContainer(name: string, ports: Ports): Container {
  const container: Container = {
    name,
    ports,
    exec: (argv, { user, input, env = {} } = {}) =>
      docker(
        [
          'exec',
          ...(input === undefined ? [] : ['-i']),
          ...(user === undefined ? [] : ['-u', user]),
          ...Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`]),
          name,
          ...argv,
        ],
        input,
      ),
    logs: async () => {
      const { stdout, stderr } = await docker(['logs', name]);
      return stdout + stderr;
    },
    inspect: async (format) => JSON.parse(await mustDocker(['inspect', '-f', `{{json ${format}}}`, name])),
    probe: (path, headers) => ask(`http://127.0.0.1:${ports.probes}${path}`, headers),
    ready: () =>
      waitFor(
        `${name} to be ready`,
        async () => (await container.probe('/readyz')).status === 200,
        container,
      ),
    tools: async () => {
      const { text } = await ask(`http://127.0.0.1:${ports.app}/api/tools`);
      const answer: { total?: number } = JSON.parse(text);
      return answer.total ?? -1;
    },
    sql: async (statement) => {
      const password = (await container.exec(['cat', '/data/secrets/app_password'])).stdout.trim();
      const login = ['-p', String(ports.database), '-U', 'video_ia_user', 'video_ia_net'];
      const { code, stdout, stderr } = await container.exec(
        ['psql', '-qAt', '-v', 'ON_ERROR_STOP=1', ...login, '-c', statement],
        { env: { PGPASSWORD: password } },
      );
      if (code !== 0) throw new Error(`psql ended ${code}: ${stderr}`);
      return stdout.trim();
    },
    stop: async () => {
      await mustDocker(['stop', name]);
      return container.exitCode();
    },
    kill: async () => void (await mustDocker(['kill', name])),
    start: async () => void (await mustDocker(['start', name])),
    exitCode: async () => Number(await mustDocker(['wait', name])),
    processes: async () => readProcesses((await container.exec(['bash', '-c', LIST_PROCESSES])).stdout),
    remove: async () => {
      await docker(['rm', '-f', name]);
      containers.delete(name);
    },
  };
  return container;
}

async function ask(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(5000) });
    return { status: response.status, text: await response.text() };
  } catch {
    return { status: 0, text: '' };
  }
}

/**
 * Asks again and again: nothing outside a container can await what happens inside.
 * @throws after a minute, with the end of the container's log
 */
export async function waitFor(
  what: string,
  asked: () => Promise<boolean>,
  container?: Container,
  limit = 60_000,
): Promise<void> {
  const end = performance.now() + limit;
  while (!(await asked())) {
    if (performance.now() > end) {
      const log = container ? `\n${(await container.logs()).split('\n').slice(-40).join('\n')}` : '';
      throw new Error(`waited ${limit} ms in vain for ${what}${log}`);
    }
    await sleep(25);
  }
}

/** procps is not in the image. Root in a container may read stat, status and cmdline of every uid. */
const LIST_PROCESSES = `for d in /proc/[0-9]*; do
  { read -r stat <$d/stat; uid=$(sed -n 's/^Uid:\\t\\([0-9]*\\).*/\\1/p' $d/status); argv=$(tr '\\0' ' ' <$d/cmdline); } 2>/dev/null
  [ -n "$argv" ] && [ -n "$uid" ] || continue
  printf '%s\\t%s\\t%s\\t%s\\n' "\${d#/proc/}" "\${stat##*) }" "$uid" "$argv"
done`;

function readProcesses(listing: string): Process[] {
  return (
    listing
      .split('\n')
      .filter((line) => line !== '')
      // Docker's own runtime, for the moment before it becomes what it was asked to run.
      .filter((line) => !/\t(runc|\/proc\/self\/\S+) init/.test(line))
      .map((line) => {
        const [pid = '', stat = '', uid = '', argv = ''] = line.split('\t');
        const [state = '', parent = ''] = stat.split(' ');
        return { pid: Number(pid), parent: Number(parent), uid: Number(uid), state, argv: argv.trim() };
      })
      .filter(({ argv }) => argv !== '')
  );
}

export const isApp = ({ argv }: Process): boolean => /^next-server|server\.js/.test(argv);
export const isPostmaster = ({ argv }: Process): boolean => /^\S*postgres -D /.test(argv);
export const isPostgres = ({ argv }: Process): boolean => /^(\S*\/)?postgres\b/.test(argv);
export const isBackend = ({ argv }: Process): boolean => /^postgres: video_ia_user /.test(argv);
