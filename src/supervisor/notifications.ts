/** What a service says by sd_notify(3), and what its silence says. */
import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import type { RunPlan } from '../config/plan-runs.ts';

export interface NotificationListener {
  ready(): void;
  /** What it is doing, in its own words. */
  status(text: string): void;
  /** It stops by itself. */
  stopping(): void;
  /** It needs so many ms from now for its start or its stop. */
  extend(ms: number): void;
  /** It was silent for longer than its watchdog allows, or said itself that it is stuck. */
  silent(why: string): void;
  /** It spoke again after that. */
  spoke(): void;
}

/** What one EXTEND_TIMEOUT_USEC can ask for: who needs longer speaks again. ms */
const LONGEST_EXTENSION = 600_000;

/** Timers come later than that only where nothing of us ran. ms */
const LATE = 1000;

export interface Notifications {
  take(assignments: ReadonlyMap<string, string>): void;
  /** At its end: silence means nothing any more. */
  stop(): void;
}

/** Whether a run gets a socket to speak to. */
export function wantsNotifications(run: RunPlan): boolean {
  if (run.kind !== 'service' || run.work.kind === 'program') return false;
  return run.ready?.kind === 'notify' || run.watchdog !== undefined;
}

/** A program of our own has a channel, and says there what others say by WATCHDOG=1. */
export const ALIVE: ReadonlyMap<string, string> = new Map([['WATCHDOG', '1']]);

/** The watchdog counts from READY=1, or from its first WATCHDOG=1 where readiness is told otherwise, as systemd's does. */
export function followNotifications(
  run: RunPlan,
  clock: Pick<Clock, 'mono' | 'after'>,
  listener: NotificationListener,
): Notifications {
  const watchdog = run.kind === 'service' ? run.watchdog : undefined;
  const isOurs = run.kind === 'service' && run.work.kind === 'program';
  let heard: number | undefined;
  let failed = false;
  let disarm: (() => void) | undefined;

  function watch(ms: number): void {
    if (heard === undefined || failed) return;
    const left = heard + ms - clock.mono();
    // Pings only move a number: one timer is set anew at most once per interval.
    if (left > 0) {
      disarm = clock.after(left, () => {
        disarm = undefined;
        watch(ms);
      });
    } else if (left < -LATE) {
      // So late comes a timer of somebody who was stopped himself (docker pause, a machine that is moved): what was said
      // meanwhile is not read yet. Half its time is what services keep between two words, sd_watchdog_enabled(3).
      heard = clock.mono() - ms / 2;
      watch(ms);
    } else
      fail(
        isOurs ? `it hangs: no word for ${formatDuration(ms)}` : `no WATCHDOG=1 for ${formatDuration(ms)}`,
      );
  }

  function fail(why: string): void {
    if (failed) return;
    failed = true;
    disarm?.();
    disarm = undefined;
    listener.silent(why);
  }

  function hear(ms: number): void {
    heard = clock.mono();
    if (failed) listener.spoke();
    failed = false;
    if (disarm === undefined) watch(ms);
  }

  return {
    take(assignments) {
      const status = assignments.get('STATUS');
      if (status !== undefined) listener.status(status);
      const isReady = assignments.get('READY') === '1';
      if (isReady) listener.ready();
      if (assignments.get('STOPPING') === '1') listener.stopping();
      const extension = readExtension(assignments.get('EXTEND_TIMEOUT_USEC'));
      if (extension > 0) listener.extend(extension);
      if (watchdog === undefined) return;
      const word = assignments.get('WATCHDOG');
      if (word === 'trigger') fail('it said WATCHDOG=trigger');
      else if (word === '1' || isReady) hear(watchdog);
    },
    stop() {
      disarm?.();
      disarm = undefined;
      heard = undefined;
    },
  };
}

/** ms; 0: it asks for none. */
function readExtension(microseconds: string | undefined): number {
  if (microseconds === undefined || !/^\d+$/.test(microseconds)) return 0;
  return Math.min(Number(microseconds) / 1000, LONGEST_EXTENSION);
}
