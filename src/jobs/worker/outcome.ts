/** What an attempt's end means for its job. */
import { formatDuration } from '../../base/duration.ts';
import type { JobTypePlan } from '../../config/plan-jobs.ts';
import type { AttemptEnded, FailureReason } from '../../protocol/jobs.ts';
import type { Claim, JobFailure } from '../store.ts';
import type { Why } from './attempt-machine.ts';
import { cleanText } from './json-limits.ts';
import { retryDelay } from './retry-delay.ts';

export type Outcome =
  | { readonly kind: 'completed'; readonly result: unknown }
  /** `retryAt` undefined: for good. Milliseconds since the epoch. */
  | { readonly kind: 'failed'; readonly failure: JobFailure; readonly retryAt: number | undefined }
  /** Back into the queue, the attempt not charged. */
  | { readonly kind: 'released' }
  | { readonly kind: 'cancelled' }
  /** Somebody else has the job: nothing is left to say. */
  | { readonly kind: 'lost' };

export interface Ending {
  readonly claim: Pick<Claim, 'attempt' | 'maxAttempts'>;
  readonly type: Pick<JobTypePlan, 'timeout' | 'retryDelay' | 'retryDelayMax'>;
  readonly end: Omit<AttemptEnded, 'type' | 'attempt'>;
  /** Why we ended it; undefined: it ended by itself. */
  readonly why: Why | undefined;
  /** There where it has said one. */
  readonly result: { readonly value: unknown } | undefined;
  /** What it asked for and did not get: a job it wanted to add. */
  readonly refused: string | undefined;
}

const LONGEST_MESSAGE = 500;

/**
 * A program that is asked to stop and ends with 0 has not thereby done its work: only one that has also told its result
 * has. What did not end by its own fault is put back and not charged.
 * @param now Milliseconds since the epoch.
 * @param random From 0 to below 1.
 */
export function outcomeOf(ending: Ending, now: number, random: number): Outcome {
  const { why, end, result, refused } = ending;
  if (why === 'lost') return { kind: 'lost' };
  if (why === 'cancel') return { kind: 'cancelled' };
  const finished =
    end.code === 0 && end.startError === undefined && (why === undefined || result !== undefined);
  if (finished && refused === undefined) return { kind: 'completed', result: result?.value };
  if (why === 'shutdown' || why === 'silent' || end.tooEarly) return { kind: 'released' };
  return failed(ending, failureOf(ending), now, random);
}

function failed({ claim, type }: Ending, failure: JobFailure, now: number, random: number): Outcome {
  const again = claim.attempt < claim.maxAttempts;
  return {
    kind: 'failed',
    failure,
    retryAt: again ? now + retryDelay(type, claim.attempt, random) : undefined,
  };
}

function failureOf({ type, end, why, refused }: Ending): JobFailure {
  const say = (reason: FailureReason, message: string, withLastLine = false): JobFailure => {
    const last = withLastLine && end.lastLine !== undefined && end.lastLine !== '' ? `: ${end.lastLine}` : '';
    return { reason, message: cleanText(`${message}${last}`, LONGEST_MESSAGE) };
  };
  if (end.startError !== undefined) return say('start', end.startError);
  if (why === 'timeout') {
    return say('timeout', `it took longer than ${formatDuration(type.timeout ?? 0)}`, true);
  }
  if (end.killedBy === 'memory') return say('memory', 'out of memory: it used more than its limit');
  if (end.killedBy === 'oom') return say('oom', 'killed by the kernel: out of memory');
  if (end.signal !== null) return say('signal', `killed by ${end.signal}`, true);
  if (end.code !== 0) return say('exit', `exit ${end.code}`, true);
  return say('dependency', refused ?? 'it ended without a word');
}
