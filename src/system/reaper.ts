/**
 * Orphans of our services become our children, as PID 1 or as a subreaper; Node waits only for what it has started.
 * So the others are taken here, each by its own pid. `waitpid(-1)` would steal the exits Node waits for, and
 * `waitid(P_ALL, WNOWAIT)` shows only the first zombie, behind which the others hide.
 */
import { registerChildren } from './children.ts';
import { becomeSubreaper, reap } from './libc.ts';
import { isDead, readProcess } from './process-table.ts';
import { ProcessView } from './relatives.ts';

export interface Reaper {
  stop(): void;
  /** How many orphans were taken so far. */
  readonly reaped: number;
  /** Zombies among our children that nobody waits for, at this moment; none but for an instant. */
  zombies(): readonly number[];
  /** Looks again, as after a signal that was lost. */
  sweepSoon(): void;
}

/** A signal can be lost between two others; what it would have told is found by the next sweep. */
const SWEEP_MS = 60_000;

/** To be called before the first child is started. `onReaped` gets the pid of each orphan taken. */
export function startReaper(options: { readonly onReaped?: (pid: number) => void } = {}): Reaper {
  registerChildren();
  if (process.pid !== 1) becomeSubreaper();
  let reaped = 0;
  let planned: NodeJS.Immediate | undefined;
  const sweep = (): void => {
    planned = undefined;
    for (const pid of new ProcessView().listOrphans()) {
      // For a living one this is a question of less than a microsecond.
      if (!reap(pid)) continue;
      reaped += 1;
      options.onReaped?.(pid);
    }
  };
  const plan = (): void => {
    planned ??= setImmediate(sweep);
  };
  process.on('SIGCHLD', plan);
  const timer = setInterval(plan, SWEEP_MS);
  timer.unref();
  plan();
  return {
    stop: () => {
      process.off('SIGCHLD', plan);
      clearInterval(timer);
      clearImmediate(planned);
    },
    get reaped() {
      return reaped;
    },
    zombies: () =>
      new ProcessView().listOrphans().filter((pid) => {
        const entry = readProcess(pid);
        return entry !== undefined && isDead(entry);
      }),
    sweepSoon: plan,
  };
}
