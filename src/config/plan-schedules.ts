import type { TaskPlan } from './plan-runs.ts';

/** What runs when it is due. */
export interface SchedulePlan {
  readonly name: string;
  /** Empty where `every` says when. */
  readonly cron: string;
  /** Due at each whole multiple of so many ms; undefined: `cron` says when. */
  readonly every?: number;
  /** An IANA name; undefined: the container's own. */
  readonly timeZone: string | undefined;
  /** Due while it runs: nothing, or once more right after. */
  readonly overlap: 'skip' | 'queue';
  /** Missed while nobody was there: run once. */
  readonly catchUp: boolean;
  /** The longest it starts late on purpose, ms. */
  readonly jitter: number;
  /** A failed run is run again after so many ms, then later and later; undefined: at its next time. */
  readonly retryAfter?: number;
  /** Why it is off; undefined: it is on. */
  readonly off: string | undefined;
  /** What starts; undefined: a job is added. */
  readonly run: TaskPlan | undefined;
  readonly job: { readonly type: string; readonly data: unknown } | undefined;
}
