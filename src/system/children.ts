/**
 * Every child that somebody waits for: those this Node knows, whoever started them, and those of exits.ts. Taking the
 * status of one of them elsewhere would lose its exit for ever.
 */
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { listAwaited } from './exits.ts';

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

/** Their pids. */
export function listOwnedPids(): Set<number> {
  const pids = new Set(listAwaited());
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
