import type { Leader } from './relatives.ts';
import { ProcessView } from './relatives.ts';

/** `leader`: the child itself; `group`: its group; `everything`: also its session and what escaped from both. */
export type SignalTarget = 'leader' | 'group' | 'everything';

/** Returns how many live processes the signal reached. */
export function signalFamily(
  child: { kill(signal: NodeJS.Signals): boolean },
  leader: Leader,
  signal: NodeJS.Signals,
  target: SignalTarget,
): number {
  // Whoever waits for it knows whether the pid is still its own.
  if (target === 'leader') return child.kill(signal) ? 1 : 0;
  const relatives = ProcessView.shared().relativesOf(leader);
  const group = relatives.filter((entry) => entry.group === leader.pid);
  const others = target === 'group' ? [] : relatives.filter((entry) => entry.group !== leader.pid);
  // Whole and at once, so that none of them can fork away. A live member proves that the number is still this group's.
  let reached = group.length > 0 && send(-leader.pid, signal) ? group.length : 0;
  for (const { pid } of others) reached += send(pid, signal) ? 1 : 0;
  return reached;
}

/** False: gone since we looked, or another user's where we are not root. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
