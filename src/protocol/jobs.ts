/**
 * Jobs, as people, the API, PID 1 and the worker speak of them.
 *
 * A JobsRequest goes as the body of `POST /v1/jobs` to PID 1, which hands it to the worker unread and returns its
 * JobsAnswer; nobody but the worker touches the store. With an idempotency key the id of a job is made from its type and
 * that key, so a second `add` finds the first one in whichever store it lies.
 */

/** pg-boss's words: `retry` waits for its next attempt. */
export type JobState = 'created' | 'retry' | 'active' | 'completed' | 'cancelled' | 'failed';

/** `durable`: in PostgreSQL or Redis; `journaled`: in memory and a file of the volume; `volatile`: in memory alone. */
export type Durability = 'durable' | 'journaled' | 'volatile';

/** `lease`: its worker was not heard of in time; `crash`: its worker ended; `start`: it could not be started. */
export type FailureReason =
  | 'exit'
  | 'signal'
  | 'timeout'
  | 'memory'
  | 'oom'
  | 'crash'
  | 'start'
  | 'lease'
  | 'dependency';

/** A job as people see it; times are ISO 8601. */
export interface JobView {
  readonly id: string;
  readonly type: string;
  readonly state: JobState;
  /** Higher first. */
  readonly priority: number;
  readonly data: unknown;
  readonly singletonKey?: string;
  /** Begun so far, of at most `maxAttempts`. */
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly createdAt: string;
  readonly startAfter?: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
  readonly progress?: { readonly percent?: number; readonly text?: string };
  readonly result?: unknown;
  readonly failure?: { readonly reason: FailureReason; readonly message: string };
  readonly cancelRequested?: true;
  readonly durability: Durability;
  /** Who runs it. */
  readonly worker?: string;
  /** The job that added it. */
  readonly parent?: string;
  /** It failed for good and waits for `redrive`. */
  readonly deadLetter?: true;
  /** How often people had it run anew, by `retry` or `redrive`; none: never. */
  readonly round?: number;
  /** Attempts that are over, the oldest first, the last 20 of them; lists leave it out. */
  readonly history?: readonly AttemptView[];
}

/** An attempt that is over; times are ISO 8601. */
export interface AttemptView {
  readonly attempt: number;
  readonly startedAt: string;
  readonly endedAt: string;
  /** `released`: put back into the queue, it does not count. */
  readonly end: 'completed' | 'failed' | 'released' | 'cancelled';
  readonly failure?: { readonly reason: FailureReason; readonly message: string };
  readonly worker?: string;
}

/** `data` is at most 64 KB of JSON, `limit` at most 200. */
export type JobsRequest =
  | {
      readonly op: 'add';
      readonly type: string;
      readonly data?: unknown;
      readonly priority?: number;
      /** ISO 8601 */
      readonly startAfter?: string;
      readonly idempotencyKey?: string;
      readonly singletonKey?: string;
      readonly parent?: string;
    }
  | { readonly op: 'get'; readonly id: string }
  | {
      readonly op: 'list';
      readonly state?: readonly JobState[];
      readonly type?: string;
      readonly limit?: number;
      readonly cursor?: string;
    }
  | { readonly op: 'cancel' | 'retry' | 'remove'; readonly id: string }
  | { readonly op: 'redrive' | 'pause' | 'resume'; readonly type?: string }
  | { readonly op: 'status' };

/** An answer is one line of at most 1 MB: a list that would be longer ends earlier and says so by its cursor. */
export type JobsAnswer =
  | { readonly ok: true; readonly durability: Durability; readonly value: JobsValue }
  | JobsRefusal;

/** By op: add JobAdded · get, retry, remove JobView · list JobList · cancel JobCancelled · redrive {count} · the rest JobsStatus. */
export type JobsValue = JobView | JobAdded | JobList | JobCancelled | JobsStatus | { readonly count: number };

export interface JobAdded {
  readonly job: JobView;
  /** It was there already: the same idempotency key. */
  readonly duplicate: boolean;
}

export interface JobList {
  readonly jobs: readonly JobView[];
  /** Where the next page begins; none: this was the last. */
  readonly cursor?: string;
}

export interface JobCancelled {
  readonly job: JobView;
  /** `later`: it runs, and is being stopped. */
  readonly accepted: 'now' | 'later';
}

export interface JobsRefusal {
  readonly ok: false;
  readonly code: JobsErrorCode;
  readonly message: string;
  readonly remedy?: string;
  /** The job that stands in the way, of `singleton`. */
  readonly jobId?: string;
  /** Seconds after which asking again is worth it. */
  readonly retryAfter?: number;
}

export type JobsErrorCode =
  | 'bad-request'
  | 'unknown-type'
  | 'unknown-job'
  | 'singleton'
  | 'finished'
  | 'not-finished'
  | 'active'
  | 'full'
  | 'not-durable'
  | 'too-large'
  /** An idempotency key that was used for something else. */
  | 'key-reused'
  | 'worker-away';

export interface JobsStatus {
  readonly counts: Readonly<Record<JobState, number>>;
  readonly byType: Readonly<Record<string, JobTypeStatus>>;
  /** Milliseconds the oldest job that could run waits. */
  readonly oldestQueuedAgeMs?: number;
  readonly store: StoreStatus;
  readonly paused: boolean;
  readonly workers: readonly {
    readonly id: string;
    readonly host: string;
    readonly active: number;
    /** ISO 8601 */
    readonly seenAt: string;
  }[];
}

export interface JobTypeStatus {
  readonly counts: Readonly<Record<JobState, number>>;
  /** Here, of at most `concurrency`. */
  readonly active: number;
  readonly concurrency: number;
  readonly paused: boolean;
  readonly oldestQueuedAgeMs?: number;
  /** Of the worker that answers, since it started; none: nothing of it has ended there. */
  readonly tally?: JobTally;
}

/** Upper bounds of durations, in seconds. */
export const JOB_BUCKETS = [0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600] as const;

export interface JobTally {
  /** Jobs by what came of them. */
  readonly finished: Readonly<Partial<Record<'completed' | 'failed' | 'cancelled', number>>>;
  /** Attempts that failed, also those that are tried again. */
  readonly failed: Readonly<Partial<Record<FailureReason, number>>>;
  /** Attempts by how long they took: one more than JOB_BUCKETS, each without those before it. */
  readonly durations: readonly number[];
  /** Of all attempts together. */
  readonly seconds: number;
  /** Of the numbers in the results of completed jobs, by their names. */
  readonly sums: Readonly<Record<string, number>>;
}

export interface StoreStatus {
  readonly kind: 'postgres' | 'redis' | 'memory';
  readonly durability: Durability;
  /** ISO 8601; since when it is so. */
  readonly since: string;
  /** Why it is not the one that was asked for. */
  readonly reason?: string;
  /** Jobs that wait to be handed over to the durable store. */
  readonly pendingReturn?: number;
}

/** What the worker tells PID 1 of the queue, at most once a second, for status and /health. */
export type JobsSummary = Pick<JobsStatus, 'counts' | 'oldestQueuedAgeMs' | 'store' | 'paused'>;

/** What happens to a job that this container runs: told as it happens, and kept nowhere. */
export type JobEvent = { readonly type: 'job' /** ISO 8601 */; readonly at: string } & (
  | { readonly what: 'started'; readonly job: JobEventSubject }
  | {
      readonly what: 'progressed';
      readonly job: JobEventSubject;
      readonly progress: NonNullable<JobView['progress']>;
    }
  | {
      readonly what: 'ended';
      readonly job: JobEventSubject;
      /** `lost`: another worker has it. */
      readonly end: AttemptView['end'] | 'lost';
      readonly failure?: { readonly reason: FailureReason; readonly message: string };
      /** It is tried again, not before this. */
      readonly retryAt?: string;
    }
  /** More happened than is told. */
  | { readonly what: 'skipped'; readonly count: number }
);

export interface JobEventSubject {
  readonly id: string;
  readonly type: string;
  readonly attempt: number;
  readonly maxAttempts: number;
}

/** What the worker writes on its channel besides the Reports; `attempt` is `<jobId>/<number>`. */
export type FromWorker =
  | {
      readonly type: 'attempt-start';
      readonly attempt: string;
      /** Its type. */
      readonly job: string;
      /** From 1. */
      readonly number: number;
      readonly data: unknown;
    }
  /** By the ladder of its plan; `now`: SIGKILL to all of it. */
  | { readonly type: 'attempt-stop'; readonly attempt: string; readonly now?: true }
  | { readonly type: 'jobs-answer'; readonly id: number; readonly answer: JobsAnswer }
  | { readonly type: 'jobs-status'; readonly summary: JobsSummary }
  | { readonly type: 'job-event'; readonly event: JobEvent };

/** What PID 1 writes on the worker's channel after its assignment. */
export type ToWorker =
  /** What the attempt said on its descriptor 3: some JSON, which the worker checks. */
  | { readonly type: 'attempt-report'; readonly attempt: string; readonly line: Partial<AttemptLine> }
  | AttemptEnded
  | { readonly type: 'jobs-request'; readonly id: number; readonly request: JobsRequest };

/** Exactly one for each `attempt-start`, when nothing of its whole tree lives any more. */
export interface AttemptEnded {
  readonly type: 'attempt-ended';
  readonly attempt: string;
  readonly code: number | null;
  readonly signal: string | null;
  /** Why it was killed, where nobody had asked for its stop. */
  readonly killedBy?: 'memory' | 'oom';
  /** It never ran, and why. */
  readonly startError?: string;
  /** With `startError`: what it requires is not ready since the start of the container. It does not count as an attempt. */
  readonly tooEarly?: true;
  /** The last line of its output. */
  readonly lastLine?: string;
}

/** The one line an attempt reads, on descriptor 3 and on its standard input. */
export interface AttemptInput {
  readonly id: string;
  readonly type: string;
  /** From 1. */
  readonly attempt: number;
  readonly data: unknown;
}

/** What an attempt may write on descriptor 3, a JSON line of at most 64 KB each. */
export type AttemptLine =
  | { readonly type: 'progress'; readonly percent?: number; readonly text?: string }
  | { readonly type: 'result'; readonly value: unknown }
  | {
      readonly type: 'enqueue';
      readonly job: string;
      readonly data?: unknown;
      readonly idempotencyKey?: string;
    };
