/** One attempt in the worker's hands, from its claim to the store's word that it is over. */
import type { JobTypePlan } from '../../config/plan-jobs.ts';
import type { AttemptEnded } from '../../protocol/jobs.ts';
import { shortJobId } from '../../protocol/stored-line.ts';
import type { Claim, JobProgress, JobStore } from '../store.ts';
import type { AttemptState } from './attempt-machine.ts';

export interface Run {
  /** `<jobId>/<number>`, as PID 1 knows it. */
  readonly name: string;
  readonly type: JobTypePlan;
  /** It lives and ends in the store it was claimed from. */
  readonly store: JobStore;
  /** Monotonic ms. */
  readonly startedAt: number;
  claim: Claim;
  state: AttemptState;
  /** Monotonic ms: the lease was made or renewed not before this. */
  leaseFrom: number;
  progress: JobProgress | undefined;
  /** Not in the store yet. */
  progressIsNew: boolean;
  result: { readonly value: unknown } | undefined;
  /** The first thing it asked for and did not get. */
  refused: string | undefined;
  end: AttemptEnded | undefined;
  /** Its end is on the way to the store: the lease matters no more. */
  settling: boolean;
  disarm: () => void;
}

/** How the log calls a job. */
export function nameOf({ type, id }: Pick<Claim, 'type' | 'id'>): string {
  return `${type} ${shortJobId(id)}`;
}
