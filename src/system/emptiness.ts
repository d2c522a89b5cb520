/**
 * Waits until nothing of a dead leader's family lives. Most families are empty at the leader's death, which one look
 * shows; the others are looked at again whenever a child of ours dies and, since a grandchild's death is not told to
 * us, at growing intervals. Nothing runs while nobody waits.
 */
import { codeOf } from '../base/errors.ts';
import { isDead, listProcesses } from './process-table.ts';
import type { Leader } from './relatives.ts';
import { ProcessView } from './relatives.ts';

const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 500;

interface Waiting {
  readonly leader: Leader;
  readonly onEmpty: () => void;
}

const waiting = new Set<Waiting>();
let timer: NodeJS.Timeout | undefined;
let planned = false;
let wait = FIRST_WAIT_MS;

/** Calls back once, never synchronously. The leader must have been reaped. */
export function whenEmpty(leader: Leader, onEmpty: () => void): void {
  if (waiting.size === 0) process.on('SIGCHLD', lookSoon);
  waiting.add({ leader, onEmpty });
  wait = FIRST_WAIT_MS;
  lookSoon();
}

/** All who wait are served by one look, however many leaders died together. */
function lookSoon(): void {
  if (planned) return;
  planned = true;
  setImmediate(look);
}

function look(): void {
  planned = false;
  clearTimeout(timer);
  timer = undefined;
  const view = new ProcessView();
  const empty = [...waiting].filter(({ leader }) => isEmpty(leader, view));
  for (const each of empty) waiting.delete(each);
  if (waiting.size === 0) {
    process.off('SIGCHLD', lookSoon);
  } else {
    timer = setTimeout(lookSoon, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
  for (const { onEmpty } of empty) onEmpty();
}

function isEmpty(leader: Leader, view: ProcessView): boolean {
  if (view.relativesOf(leader).length > 0) return false;
  if (!groupExists(leader.pid)) return true;
  // Zombies, most likely. But the kernel's list of children is exact only while none of them dies, so the one answer
  // that must not be wrong is asked of the whole table.
  return !listProcesses().some(
    (entry) =>
      !isDead(entry) &&
      (entry.group === leader.pid || entry.session === leader.pid) &&
      entry.pid !== leader.pid,
  );
}

function groupExists(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}
