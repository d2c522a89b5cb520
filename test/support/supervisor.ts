/** A real supervisor on a plan of its own, in a temporary folder, on ports of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashText } from '../../src/protocol/socket-path.ts';
import type { ProductStatus } from '../../src/protocol/status.ts';
import { freePorts } from './free-ports.ts';
import { readLog } from './log-files.ts';

export { freePorts };

const root = join(import.meta.dirname, '..', '..');
const programs = join(root, 'test', 'programs');
export const bulkhead = join(root, 'dist', 'main.js');

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Supervisor {
  readonly folder: string;
  readonly dataDir: string;
  readonly port: number;
  /** Of the API, where the plan has one. */
  readonly apiPort: number;
  readonly child: ChildProcess;
  /** Of the supervisor itself, as seen from here, in whatever namespace it is. */
  readonly pid: number;
  readonly finished: Promise<Finished>;
  /** What it wrote to both streams so far. */
  output(): string;
  /** The text of one service's log files. */
  log(service: string): string;
  /** Resolves as soon as its output holds the text; rejects when it ends before that. */
  says(text: string): Promise<void>;
  run(
    ...args: string[]
  ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  status(): Promise<ProductStatus>;
  /** GET on the probe port. */
  probe(path: string): Promise<{ readonly status: number; readonly text: string }>;
  /** Waits until its control socket answers. */
  answers(): Promise<void>;
  /** Waits until the product is ready, or has failed to become so. */
  ready(): Promise<void>;
  /** To the supervisor itself. */
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<Finished>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface SupervisorOptions {
  /** The text of the plan; `{programs}` and `{folder}` are filled in. Without one: what `command` finds. */
  readonly plan?: string;
  /** Instead of `node dist/main.js up`. */
  readonly command?: readonly string[];
  /** As PID 1 of a PID namespace, with a /proc of its own; needs root. */
  readonly namespace?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Reuse the folder of an earlier one. */
  readonly folder?: string;
}

/** Starts `bulkhead up`; dispose it to stop it and remove its folder. */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'bulkhead-scenario-'));
  const dataDir = join(folder, 'data');
  const config = join(folder, 'plan.yaml');
  if (options.plan !== undefined) {
    writeFileSync(config, options.plan.replaceAll('{programs}', programs).replaceAll('{folder}', folder));
  }
  const [port, apiPort] = await freePorts(2);
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '/',
    BULKHEAD_DATA: dataDir,
    ...(options.plan === undefined ? {} : { BULKHEAD_CONFIG: config }),
    BULKHEAD_PORT: String(port),
    BULKHEAD_API_PORT: String(apiPort),
    ...options.env,
  };
  const before = runFolders(env.BULKHEAD_DATA);
  const command = options.command ?? [process.execPath, '--disable-sigusr1', bulkhead, 'up'];
  const [program = '', ...args] = options.namespace
    ? ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child', ...command]
    : command;
  const child = spawn(program, args, {
    env,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const finished = new Promise<Finished>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  let written = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      written += text;
      for (const look of waiting) look();
    });
  }
  const supervisor: Supervisor = {
    folder,
    dataDir,
    port: port ?? 0,
    apiPort: apiPort ?? 0,
    child,
    get pid() {
      const pid = child.pid ?? 0;
      // `unshare` waits outside for the one child it has.
      return options.namespace ? Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')) : pid;
    },
    finished,
    output: () => written,
    log: (service) => readLog(join(dataDir, 'logs'), service).toString('utf8'),
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!written.includes(text)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        void finished.then(() => reject(new Error(`it ended without saying "${text}":\n${written}`)));
        look();
      }),
    run: (...args) => runBulkhead(args, env, folder),
    status: async () => {
      const { stdout, stderr } = await supervisor.run('status', '--json');
      if (stdout === '') throw new Error(`status said nothing: ${stderr}\n${written}`);
      return JSON.parse(stdout) as ProductStatus;
    },
    probe: async (path) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
      return { status: response.status, text: await response.text() };
    },
    answers: async () => {
      while ((await supervisor.run('status', '--json')).code === 7) {
        if (child.exitCode !== null) throw new Error(`it ended before it answered:\n${written}`);
      }
    },
    ready: async () => {
      const gone = new AbortController();
      void finished.then(() => gone.abort());
      const args = ['wait', '--for', 'ready', '--timeout', '50s'];
      const { code, stderr } = await runBulkhead(args, env, folder, gone.signal);
      if (code !== 0) throw new Error(`it did not become ready (${code}): ${stderr}\n${written}`);
    },
    kill: (signal) => void process.kill(supervisor.pid, signal),
    stop: () => {
      supervisor.kill('SIGTERM');
      return finished;
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) await supervisor.stop();
      const left = runFolders(env.BULKHEAD_DATA).filter((path) => !before.includes(path));
      // One that was killed could not clean up, and one that was refused for another's sake must not.
      const { code } = await finished;
      if (code !== 75) for (const path of left) rmSync(path, { recursive: true, force: true });
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
      if (code !== null && code !== 75 && left.length > 0)
        throw new Error(`it left ${left.join(', ')} behind`);
    },
  };
  return supervisor;
}

/** What a supervisor of this volume keeps under /tmp, whoever it runs as. */
export function runFolders(dataDir: string): string[] {
  return readdirSync('/tmp')
    .filter((name) => name.startsWith('bulkhead-') && name.endsWith(`-${hashText(dataDir)}`))
    .map((name) => join('/tmp', name));
}

function runBulkhead(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
  signal?: AbortSignal,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bulkhead, ...args], {
      env,
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    signal?.addEventListener('abort', () => child.kill('SIGKILL'), { once: true });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
