/**
 * The ends of children that were started past Node, which are ours to wait for. The kernel is asked for the first
 * zombie of all until there is none, so that a thousand ends cost a thousand questions; where it is one that Node or
 * the reaper takes, and behind which the others hide, each of ours is asked by its own pid.
 */
import { constants } from 'node:os';
import { readStatus, seeZombie } from './libc.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A signal can be lost between two others; what it would have told is found by the next look. */
const LOOK_AGAIN_MS = 60_000;

/** Of several names of one number the first is the usual one. */
const SIGNALS = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name as NodeJS.Signals] as const),
);

const awaited = new Map<number, (exit: Exit) => void>();
let timer: NodeJS.Timeout | undefined;

/** Calls back once, never synchronously, when this child of ours has ended; until then its pid is nobody else's. */
export function awaitExit(pid: number, tell: (exit: Exit) => void): void {
  if (awaited.size === 0) {
    process.on('SIGCHLD', look);
    // It also keeps the loop alive, as a child of Node's own does.
    timer = setInterval(look, LOOK_AGAIN_MS);
    // It may have ended before anybody listened.
    setImmediate(look);
  }
  awaited.set(pid, tell);
}

/** Whether it is one of these and was not waited for yet. */
export function isAwaited(pid: number): boolean {
  return awaited.has(pid);
}

export function listAwaited(): Iterable<number> {
  return awaited.keys();
}

function look(): void {
  for (let pid = seeZombie(); pid !== undefined && take(pid); pid = seeZombie());
  if (seeZombie() !== undefined) for (const pid of [...awaited.keys()]) take(pid);
  if (awaited.size > 0) return;
  process.off('SIGCHLD', look);
  clearInterval(timer);
}

/** False: it lives, or is none of these. */
function take(pid: number): boolean {
  const tell = awaited.get(pid);
  const status = tell === undefined ? undefined : readStatus(pid);
  if (tell === undefined || status === undefined) return false;
  awaited.delete(pid);
  // A mistake of one who is told must not keep the others from being told.
  queueMicrotask(() => tell(exitOf(status)));
  return true;
}

/** wait(2): the signal in the lowest seven bits, else the code in the next byte. */
function exitOf(status: number): Exit {
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff, signal: null };
  return { code: null, signal: SIGNALS.get(signal) ?? 'SIGKILL' };
}
