/**
 * A program as PID 1 of a PID namespace, with a /proc, a /dev/shm and System V memory of its own: its kill is that of a
 * whole container. Needs root.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface NamespaceRun {
  /** When it and everything in its namespace are gone; null: killed. */
  readonly ended: Promise<number | null>;
  /** Both streams, the last 64 kB. */
  output(): string;
  /** Resolves as soon as the output holds the text; never, where it ends before that. */
  says(text: string): Promise<void>;
  /** SIGKILL to its PID 1: the kernel ends every process of the namespace with it. Resolves when they are gone. */
  kill(): Promise<void>;
  /** SIGTERM to its PID 1, SIGKILL where that is not enough. Resolves with what `ended` does. */
  stop(patience?: number): Promise<number | null>;
}

const KEPT = 64 * 1024;
const NAMESPACES = ['--pid', '--fork', '--mount-proc', '--ipc', '--kill-child'];
const OWN_SHARED_MEMORY = 'mount -t tmpfs -o mode=1777 shm /dev/shm && exec "$0" "$@"';

export function runInNamespace(
  command: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly cwd?: string },
): NamespaceRun {
  const child = spawn('unshare', [...NAMESPACES, 'sh', '-c', OWN_SHARED_MEMORY, ...command], {
    ...options,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT);
      for (const listen of listeners) listen();
    });
  }
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    // `unshare` tells a death by a signal with that signal; whoever is killed in it dies before it.
    child.once('close', (code) => resolve(code));
  });
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  async function send(signal: NodeJS.Signals): Promise<void> {
    while (!isOver()) {
      const first = readFirstProcess(child.pid ?? 0);
      if (first !== undefined) {
        trySend(first, signal);
        return;
      }
      // It has not forked yet, or is about to end.
      await sleep(1);
    }
  }
  return {
    ended,
    output: () => output,
    says: (text) =>
      new Promise((resolve) => {
        const listen = (): void => {
          if (!output.includes(text)) return;
          listeners.delete(listen);
          resolve();
        };
        listeners.add(listen);
        listen();
      }),
    kill: async () => {
      await send('SIGKILL');
      await ended;
    },
    stop: async (patience = 30_000) => {
      await send('SIGTERM');
      const timer = setTimeout(() => void send('SIGKILL'), patience);
      const code = await ended;
      clearTimeout(timer);
      return code;
    },
  };
}

/** Seen from here: the one child `unshare` waits for. `--kill-child` alone fails after a change of user. */
function readFirstProcess(unshare: number): number | undefined {
  try {
    return Number(readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function trySend(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended meanwhile.
  }
}
