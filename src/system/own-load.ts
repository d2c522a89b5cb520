/** What this very process holds, read at the moment it is asked. */
import { readdirSync, readFileSync } from 'node:fs';

export interface OwnLoad {
  readonly openFiles: number;
  /** The soft limit of open files; undefined: none, or /proc does not say. */
  readonly openFilesLimit: number | undefined;
  readonly residentBytes: number;
  /** Armed timers of Node. */
  readonly timers: number;
}

export function readOwnLoad(): OwnLoad {
  return {
    openFiles: countOpenFiles(),
    openFilesLimit: readOpenFilesLimit(),
    residentBytes: process.memoryUsage.rss(),
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
  };
}

function countOpenFiles(): number {
  try {
    // The folder itself is open while it is read.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return 0;
  }
}

function readOpenFilesLimit(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'latin1');
    const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
