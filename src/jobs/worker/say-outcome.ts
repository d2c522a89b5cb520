/** The end of an attempt, as the worker's log has it. */
import { formatDuration } from '../../base/duration.ts';
import type { Outcome } from './outcome.ts';
import { nameOf, type Run } from './run.ts';

/** @param told Whether the store took it. @param now Milliseconds since the epoch. */
export function sayOutcome({ claim }: Run, outcome: Outcome, told: boolean, now: number): string {
  const who = `${nameOf(claim)}, attempt ${claim.attempt} of ${claim.maxAttempts}`;
  if (outcome.kind !== 'lost' && !told) return `${who}: ended, but the job is no longer this worker's`;
  switch (outcome.kind) {
    case 'completed':
      return `${who}: completed`;
    case 'cancelled':
      return `${who}: cancelled`;
    case 'released':
      return `${who}: put back`;
    case 'lost':
      return `${who}: killed, since its lease was lost`;
    case 'failed': {
      const { failure, retryAt } = outcome;
      const next =
        retryAt === undefined ? 'for good' : `again in ${formatDuration(Math.max(0, retryAt - now))}`;
      return `${who}: failed (${failure.reason}), ${next}: ${failure.message}`;
    }
  }
}
