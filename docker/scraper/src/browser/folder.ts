import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOf } from './tree.ts';

const PREFIX = 'tool-scraper-';

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  } catch {
    // Another user's, or a browser is still dying in it: the next start tries again.
  }
}

/**
 * A folder for the browser's profile and whatever it calls temporary. Its name says whose it is, so that the next
 * start can remove what a killed one had to leave.
 */
export function makeWorkFolder(base: string = tmpdir()): { path: string; remove(): void } {
  sweep(base);
  const path = mkdtempSync(join(base, `${PREFIX}${process.pid}-${startOf(process.pid) ?? 0}-`));
  mkdirSync(join(path, 'tmp'));
  return { path, remove: () => remove(path) };
}

/** Removes the folders of processes that are no more. */
function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const [, pid, start] = /^tool-scraper-(\d+)-(\d+)-/.exec(name) ?? [];
    if (pid && start && startOf(Number(pid)) !== start) remove(join(base, name));
  }
}
