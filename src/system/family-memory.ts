import { readFileSync } from 'node:fs';
import type { Leader } from './relatives.ts';
import { ProcessView } from './relatives.ts';

/**
 * Bytes of memory that would be free without a living leader and its relatives, swap included. Files they map and
 * memory they share (PostgreSQL's buffers) do not count; pages a fork has not yet written to count twice.
 */
export function readFamilyMemory(leader: Leader): number {
  let kilobytes = 0;
  for (const { pid } of ProcessView.shared().relativesOf(leader)) {
    // Open to everybody, unlike smaps.
    for (const [, amount] of readStatus(pid).matchAll(/^(?:RssAnon|VmSwap):\s+(\d+) kB$/gm)) {
      kilobytes += Number(amount);
    }
  }
  return kilobytes * 1024;
}

function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return '';
  }
}
