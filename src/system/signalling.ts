import type { ChildProcess } from 'node:child_process';
import type { Leader } from './relatives.ts';
import { ProcessView } from './relatives.ts';

/** `leader`: the child itself; `group`: its group; `everything`: also its session and what escaped from both. */
export type SignalTarget = 'leader' | 'group' | 'everything';

/** A process may fork between our look and the signal; so many looks find the last one. */
const KILL_ROUNDS = 5;

/** Returns how many live processes the signal reached. */
export function signalFamily(
  child: ChildProcess,
  leader: Leader,
  signal: NodeJS.Signals,
  target: SignalTarget,
): number {
  // Not process.kill: Node knows whether it has waited for this pid, which may be another's by now.
  if (target === 'leader') return child.kill(signal) ? 1 : 0;
  const reached = new Set<number>();
  for (let round = 0; round < (signal === 'SIGKILL' ? KILL_ROUNDS : 1); round += 1) {
    const before = reached.size;
    for (const pid of signalOnce(leader, signal, target)) reached.add(pid);
    if (reached.size === before) break;
  }
  return reached.size;
}

function signalOnce(leader: Leader, signal: NodeJS.Signals, target: SignalTarget): readonly number[] {
  const relatives = new ProcessView().relativesOf(leader);
  const group = relatives.filter((entry) => entry.group === leader.pid);
  const others = target === 'group' ? [] : relatives.filter((entry) => entry.group !== leader.pid);
  // Whole and at once, so that none of them can fork away. A live member proves that the number is still this group's.
  if (group.length > 0) send(-leader.pid, signal);
  for (const { pid } of others) send(pid, signal);
  return [...group, ...others].map(({ pid }) => pid);
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone since we looked, or another user's where we are not root.
  }
}
