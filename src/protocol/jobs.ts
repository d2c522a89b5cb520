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
}

export interface JobList {
  readonly jobs: readonly JobView[];
  /** Where the next page begins; none: this was the last. */
  readonly cursor?: string;
}
