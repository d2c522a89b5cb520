/**
 * Waits until nothing of a dead leader's family lives. Most families are empty at the leader's death, which one look
 * shows; the others are looked at again whenever a child of ours dies and, since a grandchild's death is not told to
 * us, at growing intervals. Nothing runs while nobody waits.
 */
import { codeOf } from '../base/errors.ts';
import { listOwnedPids } from './children.ts';
import type { ProcessEntry } from './process-table.ts';
import { isDead, listProcesses } from './process-table.ts';
import type { Leader } from './relatives.ts';
import { ProcessView } from './relatives.ts';
import { send } from './signalling.ts';
import { sweepTree } from './tree-sweep.ts';

const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 500;

/** So many looks, about a second, is what SIGKILL gets to show its effect before the second sweep. */
const LOOKS_BEFORE_SWEEP = 9;

const MOST_UNCERTAIN_LOOKS = 6;

interface Waiting {
  readonly leader: Leader;
  looks: number;
  readonly onEmpty: () => void;
}

const waiting = new Set<Waiting>();
let timer: NodeJS.Timeout | undefined;
let planned = false;
let wait = FIRST_WAIT_MS;

/** Calls back once, never synchronously. The leader must have been reaped. */
export function whenEmpty(leader: Leader, onEmpty: () => void): void {
  if (waiting.size === 0) process.on('SIGCHLD', lookSoon);
  waiting.add({ leader, looks: 0, onEmpty });
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
  const empty = [...waiting].filter((each) => isEmpty(each, view));
  for (const each of empty) waiting.delete(each);
  if (waiting.size === 0) {
    process.off('SIGCHLD', lookSoon);
  } else {
    timer = setTimeout(lookSoon, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  }
  for (const { onEmpty } of empty) onEmpty();
}

function isEmpty(each: Waiting, view: ProcessView): boolean {
  const { leader } = each;
  const relatives = view.relativesOf(leader);
  each.looks += 1;
  if (leader.condemned) killAgain(each, relatives);
  if (relatives.length > 0) return false;
  // But a process may hide its environment for good, and must not keep everybody from being empty.
  if (view.isUncertain() && each.looks < MOST_UNCERTAIN_LOOKS) return false;
  return !hasHiddenMembers(leader.pid);
}

/** What was forked between the look and the kill shows itself now. */
function killAgain(each: Waiting, relatives: readonly ProcessEntry[]): void {
  for (const { pid } of relatives) send(pid, 'SIGKILL');
  if (each.looks === LOOKS_BEFORE_SWEEP) for (const { pid } of relatives) sweepTree(pid);
}

/**
 * The kernel's list of children is exact only while none of them dies, so the one answer that must not be wrong is
 * asked of the whole table, where the group still exists. Zombies are the usual reason.
 */
function hasHiddenMembers(group: number): boolean {
  if (!groupExists(group) || listOwnedPids().has(group)) return false;
  return listProcesses().some(
    (entry) => !isDead(entry) && (entry.group === group || entry.session === group),
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
