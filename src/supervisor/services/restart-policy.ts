/** Whether, and after how long, a run that ended by itself is started again. One path for every kind of failure. */
import { constants } from 'node:os';
import type { RestartPlan, RunPlan } from '../../config/plan-runs.ts';
import type { Exit } from './ports.ts';

/** What is remembered of a run's unintended ends. Intended stops and restarts never appear here. */
export interface Failures {
  /** Monotonic moments, oldest first; only those some window may still ask for. */
  readonly times: readonly number[];
  /** Failures in a row without a stable spell; 0 after the first failure that follows one. */
  readonly attempt: number;
}

export const noFailures: Failures = { times: [], attempt: 0 };

/** So many moments are kept at most, or as many as the limit needs. */
const KEPT = 1000;

/** What people are told about ("crashed 3 times in 2 min") reaches back at least so far, in ms. */
const TOLD_WINDOW = 600_000;

/**
 * Adds one failure at `at`. `upFor` is how long it had been ready, in ms; undefined: it never was.
 * After a stable spell the count begins anew, and its first failure is number 0: it costs no wait.
 */
export function noteFailure(
  failures: Failures,
  at: number,
  upFor: number | undefined,
  restart: RestartPlan,
): Failures {
  const window = Math.max(restart.giveUp?.window ?? 0, TOLD_WINDOW);
  const wasStable = upFor !== undefined && upFor >= restart.stableAfter;
  const isOver = wasStable && window === Number.POSITIVE_INFINITY;
  const recent = isOver ? [] : failures.times.filter((time) => at - time <= window);
  return {
    times: [...recent, at].slice(-Math.max(KEPT, (restart.giveUp?.limit ?? 0) + 1)),
    attempt: wasStable ? 0 : failures.attempt + 1,
  };
}

/** ms to wait before the next start: 0, then initialDelay × 2ⁿ, ±10 % so that runs that fell together part. */
export function delayBefore(attempt: number, restart: RestartPlan, chance: number): number {
  if (attempt <= 0) return 0;
  const exact = Math.min(restart.maxDelay, restart.initialDelay * 2 ** (attempt - 1));
  return Math.round(Math.min(restart.maxDelay, exact * (0.9 + 0.2 * chance)));
}

/** Whether there were more than `limit` failures inside the window that ends now. */
export function hasGivenUp(failures: Failures, restart: RestartPlan, now: number): boolean {
  const { giveUp } = restart;
  if (giveUp === undefined) return false;
  return failures.times.filter((time) => now - time <= giveUp.window).length > giveUp.limit;
}

/** Whether the policy starts it again at all; `finished`: it ended by itself with exit 0. */
export function allowsRestart(restart: RestartPlan, finished: boolean): boolean {
  if (restart.policy === 'always') return true;
  return restart.policy === 'on-failure' && !finished;
}

/** What an end that nobody asked for means by its plan. Shells know a death by signal n as 128 + n, and so do plans. */
export function meaningOf(
  { code, signal }: Exit,
  exitCodes: RunPlan['exitCodes'],
): 'finished' | 'crashed' | 'fatal' {
  if (code === 0) return 'finished';
  const shown = signal === null ? code : 128 + constants.signals[signal];
  if (shown === null || exitCodes === undefined) return 'crashed';
  if (exitCodes.fatal.includes(shown)) return 'fatal';
  return exitCodes.success.includes(shown) ? 'finished' : 'crashed';
}
