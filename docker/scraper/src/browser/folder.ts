import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOf } from './tree.ts';

/** Short, as all names here are: Chromium puts a socket below it, and the path of one has at most 107 bytes. */
const PREFIX = 'scraper-';

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
  const path = mkdtempSync(join(base, `${PREFIX}${process.pid}-${short(startOf(process.pid))}-`));
  mkdirSync(join(path, 't'));
  return { path, remove: () => remove(path) };
}

/** Removes the folders of processes that are no more. */
function sweep(base: string): void {
  for (const name of readdirSync(base)) {
    const [, pid, start] = /^scraper-(\d+)-([\da-z]+)-/.exec(name) ?? [];
    if (pid && start && short(startOf(Number(pid))) !== start) remove(join(base, name));
  }
}

/** Ticks since the machine's start, which grow without end. */
function short(start: string | undefined): string {
  return Number(start ?? 0).toString(36);
}
