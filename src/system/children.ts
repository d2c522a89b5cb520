/**
 * Every child process this Node knows, whoever started it. libuv waits for exactly these; taking the status of one
 * of them elsewhere would lose its exit event for ever.
 */
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';

const known = new Set<ChildProcess>();
let subscribed = false;

/** To be called before the first child is started. Node publishes each ChildProcess as it is made, before its spawn. */
export function registerChildren(): void {
  if (subscribed) return;
  subscribed = true;
  subscribe('child_process', (message) => {
    const child = childOf(message);
    if (!child) return;
    known.add(child);
    child.once('exit', () => known.delete(child));
    // Also the reason why no library can end PID 1 by a spawn that fails where it did not listen.
    child.on('error', () => undefined);
  });
}

/** The pids that libuv waits for. */
export function listOwnedPids(): Set<number> {
  const pids = new Set<number>();
  for (const child of known) {
    // A spawn is synchronous: without a pid by now it has failed.
    if (child.pid === undefined) known.delete(child);
    else pids.add(child.pid);
  }
  return pids;
}

function childOf(message: unknown): ChildProcess | undefined {
  if (typeof message !== 'object' || message === null || !('process' in message)) return undefined;
  return message.process as ChildProcess;
}
