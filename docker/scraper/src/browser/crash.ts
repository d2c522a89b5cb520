import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { Browser } from 'puppeteer-core';

/** As Chromium tells it (DevTools protocol, Target.targetCrashed). */
export interface Crash {
  /** base::TerminationStatus in words: `crashed`, `killed`, `oom`. */
  readonly status: string;
  /** The signal that ended it. */
  readonly errorCode: number;
}

export interface CrashSigns {
  /** Undefined: Chromium did not say. */
  readonly crash: Crash | undefined;
  /** The newest of what Chromium wrote on its standard error. */
  readonly said: string;
  /** How many of our group the kernel has killed for want of memory meanwhile; undefined: it does not tell. */
  readonly oomKills: number | undefined;
}

/** Why a tab is gone, to follow "cannot open X: ". Pure. */
export function wordsOfCrash({ crash, said, oomKills }: CrashSigns): string {
  // V8 ends the tab itself when its heap is full, which looks like any other crash: it only says so.
  if (crash?.status === 'oom' || /\bV8 \w+ OOM\b|\bOut of memory\b/i.test(said))
    return 'out of memory: the page needs more than its browser may have';
  if (oomKills !== undefined && oomKills > 0)
    return 'out of memory: the kernel killed its browser, for the container or the job has no more';
  if (crash === undefined) return 'the tab crashed';
  const signal = signalOf(crash.errorCode);
  if (crash.errorCode === constants.signals.SIGKILL)
    return `the tab was killed (${signal})${oomKills === undefined ? ', as the kernel does where memory runs out' : ''}`;
  return `the tab crashed (${signal ?? crash.status})`;
}

function signalOf(code: number): string | undefined {
  return Object.entries(constants.signals).find(([, number]) => number === code)?.[0];
}

/** How long Chromium may take to say why, once its tab is gone. */
const PATIENCE_MS = 1000;

/** Listens for the end of tabs. `why` resolves with how the last one ended, undefined where that is not said in time. */
export async function watchCrashes(browser: Browser): Promise<{ why(): Promise<Crash | undefined> }> {
  const told = Promise.withResolvers<Crash>();
  const session = await browser.target().createCDPSession();
  session.on('Target.targetCrashed', ({ status, errorCode }) => told.resolve({ status, errorCode }));
  await session.send('Target.setDiscoverTargets', { discover: true });
  return {
    async why() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
      });
      return Promise.race([told.promise, late]).finally(() => clearTimeout(timer));
    },
  };
}

/**
 * How many processes of our group the kernel has killed for want of memory, since the group is there (cgroup v2,
 * memory.events). Undefined where that is not to be seen.
 */
export function countOomKills(): number | undefined {
  const path = /^0::(\/.*)$/m.exec(readText('/proc/self/cgroup'))?.[1];
  if (path === undefined || path.includes('..')) return undefined;
  // A path that does not exist here is that of the machine: ours is mounted at the root then.
  const events = readText(`/sys/fs/cgroup${path}/memory.events`) || readText('/sys/fs/cgroup/memory.events');
  const count = /^oom_kill (\d+)$/m.exec(events)?.[1];
  return count === undefined ? undefined : Number(count);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
