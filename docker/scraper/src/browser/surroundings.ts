import { spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { landlockVersion } from './landlock.ts';

/** What of Chromium's own protection this machine lets it have. */
export interface Surroundings {
  /** undefined: the sandbox works. Otherwise why it cannot. */
  readonly noSandbox: string | undefined;
  /** Of the kernel's Landlock, which stands in for the sandbox where there is none; 0: nothing does. */
  readonly landlock: number;
  /** Docker gives 64 MB: too little for Chromium, which then crashes tabs. */
  readonly smallSharedMemory: boolean;
}

const ENOUGH_SHARED_MEMORY = 512 * 1024 * 1024;

/**
 * Chromium's sandbox needs user namespaces. Docker's default seccomp profile refuses them, AppArmor on some hosts
 * takes their rights away, and Chromium refuses the sandbox to root: tried, because no file tells all of that.
 */
function whyNoSandbox(): string | undefined {
  if (process.getuid?.() === 0) return 'Chromium refuses it to root';
  const tried = spawnSync('unshare', ['--user', '--map-current-user', '--pid', '--net', '--fork', 'true'], {
    stdio: 'ignore',
    timeout: 5_000,
  });
  if (tried.status === 0) return undefined;
  return 'this container may not make user namespaces (Docker: its default seccomp profile)';
}

export function lookAround(): Surroundings {
  return {
    noSandbox: whyNoSandbox(),
    landlock: landlockVersion(),
    smallSharedMemory: freeSharedMemory() < ENOUGH_SHARED_MEMORY,
  };
}

function freeSharedMemory(): number {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    return bavail * bsize;
  } catch {
    return 0;
  }
}
