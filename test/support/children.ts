/** Real children of the system room, with what they told collected and awaitable. */
import { afterEach } from 'vitest';
import type { SpawnedProcess, SpawnOptions } from '../../src/system/process.ts';
import { spawnProcess } from '../../src/system/process.ts';
import { startReaper } from '../../src/system/reaper.ts';

export interface StartedChild {
  readonly process: SpawnedProcess | undefined;
  /** In the order told: `failed`, `ready`, `message …`, `exited`, `emptied`, and the end of each stream. */
  readonly told: string[];
  readonly failed: Promise<Error>;
  readonly ready: Promise<void>;
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  readonly emptied: Promise<void>;
  /** All of stdout and stderr once both have ended; closes the pipes 2 s after the leader's death. */
  readonly output: Promise<{ stdout: string; stderr: string }>;
  /** Resolves when stdout so far contains the text. */
  printed(text: string): Promise<string>;
  nextMessage(): Promise<string>;
}

const started: SpawnedProcess[] = [];
let count = 0;

/** Kills what a test left, escapees included. Call once at the top of a test file. */
export function useChildren(): void {
  const reaper = startReaper();
  afterEach(() => {
    for (const child of started.splice(0)) child.signal('SIGKILL', 'everything');
  });
  void reaper;
}

export function startChild(
  argv: readonly string[],
  options: Partial<SpawnOptions> & { readonly drainMs?: number; readonly unread?: boolean } = {},
): StartedChild {
  const { drainMs = 2000, unread = false, ...given } = options;
  count += 1;
  const told: string[] = [];
  const failed = Promise.withResolvers<Error>();
  const ready = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<{ code: number | null; signal: string | null }>();
  const emptied = Promise.withResolvers<void>();
  const messages: string[] = [];
  const askers: ((line: string) => void)[] = [];
  const text = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  const child = spawnProcess(
    {
      argv,
      cwd: '/',
      env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
      tag: `test-${process.pid}-${count}:1`,
      ...given,
    },
    {
      failed: (error) => {
        told.push('failed');
        failed.resolve(error);
      },
      ready: () => {
        told.push('ready');
        ready.resolve();
      },
      message: (line) => {
        told.push(`message ${line}`);
        const asker = askers.shift();
        if (asker) asker(line);
        else messages.push(line);
      },
      notified: (assignments) =>
        told.push(`notified ${[...assignments].map((each) => each.join('=')).join(' ')}`),
      exited: (exit) => {
        told.push('exited');
        if (!unread) {
          child?.stdout.closeWithin(drainMs);
          child?.stderr.closeWithin(drainMs);
        }
        exited.resolve(exit);
      },
      emptied: () => {
        told.push('emptied');
        emptied.resolve();
      },
    },
  );
  if (child) started.push(child);
  const collect = (name: 'stdout' | 'stderr'): Promise<void> =>
    new Promise((resolve) => {
      if (!child || unread) return resolve();
      child[name].read(
        (chunk) => {
          text[name] += chunk.toString('latin1');
          for (const watcher of watchers) watcher();
        },
        () => {
          told.push(`${name} ended`);
          resolve();
        },
      );
    });
  const output = Promise.all([collect('stdout'), collect('stderr')]).then(() => text);
  return {
    process: child,
    told,
    failed: failed.promise,
    ready: ready.promise,
    exited: exited.promise,
    emptied: emptied.promise,
    output,
    printed: (wanted) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!text.stdout.includes(wanted)) return;
          watchers.delete(check);
          resolve(text.stdout);
        };
        watchers.add(check);
        check();
      }),
    nextMessage: () => {
      const line = messages.shift();
      return line === undefined ? new Promise((resolve) => askers.push(resolve)) : Promise.resolve(line);
    },
  };
}
