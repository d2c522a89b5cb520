import { spawn } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogLine } from '../../src/protocol/control.ts';
import type { JobEvent } from '../../src/protocol/jobs.ts';
import type { ProductStatus, ServiceStatus } from '../../src/protocol/status.ts';
import { createEventLog, type EventLog } from '../../src/supervisor/control/event-log.ts';
import { createKeptRuns } from '../../src/supervisor/control/kept-runs.ts';
import type { SocketFiles } from '../../src/supervisor/control/listen.ts';
import type { Rights } from '../../src/supervisor/control/rights.ts';
import { type ControlServer, openControlServer } from '../../src/supervisor/control/server.ts';
import type { ControlTarget } from '../../src/supervisor/control/target.ts';
import { realClock } from './clock.ts';
import { fakeTokens } from './fake-tokens.ts';
import { EXAMPLE_NOW, exampleProduct, exampleSelf } from './product.ts';

export interface FakeTarget extends ControlTarget {
  readonly events: EventLog;
  /** Puts other words into one service's status and announces it. */
  set(name: string, changes: Partial<ServiceStatus>): void;
  setProduct(product: ProductStatus): void;
  write(line: LogLine): void;
  /** Something happens to a job. */
  mention(event: JobEvent): void;
  /** What was asked for, as `stop app`. */
  readonly asked: string[];
  /** Called whenever something is asked for, to play the services' part. */
  onAsked: (what: string) => void;
  readonly followers: { logs: number; events: number };
}

/** A supervisor without services: its status is what the test says, its programs are real. */
export function fakeTarget(overrides: Partial<ControlTarget> = {}): FakeTarget {
  let product = exampleProduct();
  const lines: LogLine[] = [];
  const listeners = new Set<{ services: readonly string[] | undefined; onLine: (line: LogLine) => void }>();
  const events = createEventLog({
    now: () => EXAMPLE_NOW,
    appendLine: () => {},
    listenerFailed: (error) => {
      throw error;
    },
  });
  const asked: string[] = [];
  const ask = (what: string) => {
    asked.push(what);
    target.onAsked(what);
  };
  const concerns = (services: readonly string[] | undefined, { service }: LogLine) =>
    services === undefined || services.includes(service);
  const target: FakeTarget = {
    dataDir: '/data',
    isReady: () => target.product().overall !== 'fail',
    product: () => product,
    self: () => exampleSelf,
    figures: () => ({ runs: {}, logs: {}, reaped: 0 }),
    start: (names) => ask(`start ${names.join(' ')}`),
    stop: (names) => ask(`stop ${names.join(' ')}`),
    restart: (names) => ask(`restart ${names.join(' ')}`),
    restartTree: (names) => {
      ask(`restart tree ${names.join(' ')}`);
      return names;
    },
    jobTypes: () => [],
    tellSink: async (name, { json, env }) => {
      ask(`tell ${name} ${json.trimEnd()} ${JSON.stringify(env)}`);
      return { ok: false, error: 'exit 3' };
    },
    runSchedule: async (name) => {
      ask(`run schedule ${name}`);
      return {
        startedAt: '2026-01-01T00:00:00.000Z',
        endedAt: '2026-01-01T00:00:01.000Z',
        ok: true,
        reason: '',
      };
    },
    jobs: async (request) => {
      ask(`jobs ${request.op}`);
      return { ok: true, durability: 'durable', value: { count: 0 } };
    },
    reload: async ({ dryRun }) => {
      ask(`reload ${dryRun}`);
      return [{ service: 'app', action: 'restart', reason: 'environment.PORT' }];
    },
    scale: async (sizes) => {
      ask(`scale ${JSON.stringify(sizes)}`);
      return [];
    },
    neededBy: () => [],
    tokens: fakeTokens(),
    planView: () => ({ name: 'video-ia' }),
    logs: {
      tail: (services, count) => lines.filter((line) => concerns(services, line)).slice(-count),
      follow: (services, onLine) => {
        const listener = { services, onLine };
        listeners.add(listener);
        target.followers.logs += 1;
        return () => {
          if (listeners.delete(listener)) target.followers.logs -= 1;
        };
      },
    },
    events: {
      ...events,
      follow: (listener) => {
        const leave = events.follow(listener);
        target.followers.events += 1;
        return () => {
          target.followers.events -= 1;
          leave();
        };
      },
    },
    exec: async (_service, [file = '', ...args]) => {
      const child = spawn(file, args, { stdio: 'pipe', detached: true });
      const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
        child.once('exit', (code, signal) => resolve({ code, signal }));
      });
      const signal = (name: NodeJS.Signals) => {
        if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
          process.kill(-child.pid, name);
      };
      return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, signal, exited };
    },
    run: async (program, input, onReport) => {
      ask(`run ${program} ${JSON.stringify(input)}`);
      onReport({ type: 'progress', progress: { what: 'importing', percent: 50, detail: '7 rows' } });
      onReport({ type: 'result', value: { rows: 7 } });
      return 0;
    },
    kept: createKeptRuns(() => EXAMPLE_NOW),
    set: (name, changes) => {
      const before = product.services.find((service) => service.name === name);
      product = {
        ...product,
        services: product.services.map((service) =>
          service.name === name ? { ...service, ...changes } : service,
        ),
      };
      const from = before?.status ?? 'waiting';
      events.append({ type: 'changed', service: name, from, to: changes.status ?? from, reason: '' });
    },
    setProduct: (next) => {
      product = next;
    },
    mention: events.mention,
    write: (line) => {
      lines.push(line);
      for (const { services, onLine } of [...listeners]) if (concerns(services, line)) onLine(line);
    },
    asked,
    onAsked: () => {},
    followers: { logs: 0, events: 0 },
  };
  return Object.assign(target, overrides);
}

export const socketFiles: SocketFiles = {
  prepareFolder: (path) => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return true;
  },
  removeSocket: (path) => {
    if (!lstatSync(path).isSocket()) throw new Error('it is no socket');
    unlinkSync(path);
  },
};

export interface OpenedControl extends AsyncDisposable {
  readonly server: ControlServer;
  readonly path: string;
  readonly folder: string;
}

/** A control server on a socket in a folder of its own; disposing closes the one and removes the other. */
export async function openControl(target: ControlTarget, rights?: Rights): Promise<OpenedControl> {
  const folder = mkdtempSync(join(tmpdir(), 'bh-'));
  const path = join(folder, 'control.sock');
  const server = await openControlServer(target, [path], {
    clock: realClock,
    files: socketFiles,
    ...(rights && { rights }),
  });
  return {
    server,
    path,
    folder,
    async [Symbol.asyncDispose]() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
