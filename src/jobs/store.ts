/**
 * The port of the queue: what a place that keeps jobs must be able to do. PostgreSQL, Redis and the memory with its
 * journal stand behind it, and one conformance suite (test/jobs-store) holds all three to these words.
 *
 * A store keeps and hands out; it decides nothing about a job. Whether an attempt that failed gets another one, and
 * when, is the worker's word (`fail` … `retryAt`); what makes a job single (`singletonKey`) and its id as well.
 *
 * Any method may throw a `StoreRefusal`, which is an answer, or a `StoreAway`, which is none: the store could not be
 * asked, and what was asked may or may not have happened. All calls are therefore safe to repeat.
 */
import { Failure } from '../base/errors.ts';
import type { Durability, JobList, JobState, JobView } from '../protocol/jobs.ts';

export type StoreKind = 'postgres' | 'redis' | 'memory';

/** A job as a store knows it, which is how people see it. */
export type JobRecord = JobView;
export type JobFailure = NonNullable<JobView['failure']>;
export type JobProgress = NonNullable<JobView['progress']>;
export type JobHistory = NonNullable<JobView['history']>;

export interface NewJob {
  /** A UUID, see job-id.ts: the same id again is a duplicate, in any state. */
  readonly id: string;
  readonly type: string;
  /** JSON. */
  readonly data: unknown;
  /** Higher first. */
  readonly priority: number;
  /** Attempts in all: 1 + `retries`. */
  readonly maxAttempts: number;
  readonly startAfter?: Date | undefined;
  /** At most one job of this type and key is created, retry or active. */
  readonly singletonKey?: string | undefined;
  readonly parent?: string | undefined;
}

/** One attempt, as long as its lease is ours. */
export interface Claim {
  readonly id: string;
  readonly type: string;
  /** From 1. An attempt that was released is not charged: its number comes again, its token never. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly priority: number;
  readonly data: unknown;
  readonly parent?: string | undefined;
  /** How often people had the job run anew; 0: never. */
  readonly round: number;
  /** Whose it is. */
  readonly worker: string;
  /** Of this claim alone: whoever comes with another may neither renew nor end the attempt. */
  readonly token: string;
  /** Somebody wants it cancelled. */
  readonly cancelRequested: boolean;
  /** Written with the next `renew`. */
  readonly progress?: JobProgress | undefined;
}

export interface Wish {
  readonly type: string;
  /** How many attempts of it the worker would take now. */
  readonly count: number;
}

export interface ListFilter {
  readonly states?: readonly JobState[] | undefined;
  readonly type?: string | undefined;
  /** 1 to 200. */
  readonly limit: number;
  /** Of the list before; anything else is refused (`bad-cursor`). */
  readonly cursor?: string | undefined;
}

export interface TypeCounts {
  readonly counts: Readonly<Record<JobState, number>>;
  /** Of what could be claimed now, but for a pause. ISO 8601. */
  readonly oldestQueuedAt?: string | undefined;
}

export interface Paused {
  readonly all: boolean;
  readonly types: readonly string[];
}

/** What a worker tells of itself, and `status` lists. */
export interface WorkerPresence {
  readonly id: string;
  readonly host: string;
  readonly active: number;
}

export interface SweepResult {
  /** Leases that ran out: the jobs wait again, or have failed for good. The attempt is charged. */
  readonly expired: readonly { readonly id: string; readonly type: string; readonly state: JobState }[];
  /** Finished jobs past `queue.keep`, deleted. */
  readonly removed: number;
}

/** Milliseconds and counts of `queue:` in the plan. */
export interface StoreLimits {
  readonly leaseMs: number;
  /** More waiting jobs are refused (`full`). */
  readonly maxWaiting: number;
  readonly keep: {
    readonly completedMs: number;
    /** Also of cancelled ones. */
    readonly failedMs: number;
    /** Finished jobs of all types at most. */
    readonly most: number;
  };
}

/** What a store can do beside: tell when there may be something to claim, so that nobody need look each second. */
export interface Herald {
  /**
   * Whether what others do is told, by proof: an answer to a call of our own came back this way a moment ago. False:
   * look for yourself.
   */
  readonly isHeard: boolean;
  /** `ring`: by what another worker did, something waits that did not, or is paused; or that is no longer told. */
  onRing(ring: () => void): void;
  /**
   * Milliseconds until the next job of these types that waits for its time may run; undefined: there is none. 0 or less
   * where its time came after the last claim had looked, which has missed it.
   */
  untilDue(types: readonly string[]): Promise<number | undefined>;
}

export interface JobStore {
  readonly kind: StoreKind;
  /** Undefined: it tells nothing by itself. */
  readonly herald?: Herald | undefined;
  /** Known after `open`; may get worse while it is open (a journal on a full disk) and better again. */
  readonly durability: Durability;
  /** Why it is not `durable`, or what else people should know. */
  readonly reason: string | undefined;
  /**
   * Makes what is missing (schema, queues) and migrates. May be called again after it threw, and with more types.
   * @throws StoreAway where it cannot be reached, Failure where it can and lets us not in
   */
  open(types: readonly string[]): Promise<void>;
  /** Ends every session; leases stay as they are. Never throws. */
  close(): Promise<void>;
  /** Whether it can be asked at all, for the fallback's switch: answers within two seconds, one way or the other. */
  ping(): Promise<void>;

  /** @throws StoreRefusal `singleton` (with the id of the one that is there), `full` */
  add(job: NewJob): Promise<{ readonly job: JobRecord; readonly duplicate: boolean }>;
  /** At most `count` of each type and `most` in all, highest priority first, then oldest. Nothing of what is paused. */
  claim(wishes: readonly Wish[], worker: string, most?: number): Promise<readonly Claim[]>;
  /**
   * Those still ours, with a new lease and what was asked meanwhile; the missing ones are lost: their attempts must end.
   * Writes the progress that the claims carry.
   */
  renew(claims: readonly Claim[]): Promise<readonly Claim[]>;
  /** The ids of those somebody wants cancelled: asked each second, so it is cheap. `renew` tells it as well. */
  cancelRequests(claims: readonly Claim[]): Promise<readonly string[]>;
  /** The four ends of an attempt. False: the claim was lost, and nothing has changed. */
  complete(claim: Claim, result: unknown): Promise<boolean>;
  /** Undefined `retryAt`: failed for good, it waits for redrive. */
  fail(claim: Claim, failure: JobFailure, retryAt: Date | undefined): Promise<boolean>;
  /** Back into the queue at once, the attempt not charged. */
  release(claim: Claim): Promise<boolean>;
  cancelled(claim: Claim): Promise<boolean>;
  /**
   * Puts back, uncharged, what this worker has claimed but for the claims with these tokens: the answer of another one
   * never came, so nothing of it was begun. Resolves to their number.
   */
  disown(worker: string, tokens: readonly string[]): Promise<number>;

  /** With its history. */
  get(id: string): Promise<JobRecord | undefined>;
  /** Newest first; a cursor where there is more. @throws StoreRefusal `bad-cursor` */
  list(filter: ListFilter): Promise<JobList>;
  /** By type, those without a job left out. */
  counts(): Promise<Readonly<Record<string, TypeCounts>>>;
  /** `asked`: it is active; its worker hears of it with the next `renew`. */
  cancel(id: string): Promise<'cancelled' | 'asked' | 'finished' | 'unknown'>;
  /** A finished job waits again, with all its attempts, in its next round. @throws StoreRefusal `singleton` */
  retry(id: string): Promise<'retried' | 'not-finished' | 'unknown'>;
  remove(id: string): Promise<'removed' | 'active' | 'unknown'>;
  /** Those of the dead letter wait again likewise, but for those whose singleton key is taken. Resolves to their number. */
  redrive(type?: string): Promise<number>;
  /** Without a type: everything. For all workers of the store, and across restarts; what is active goes on. */
  pause(type?: string): Promise<void>;
  /** Without a type: everything, types that were paused alone included. */
  resume(type?: string): Promise<void>;
  paused(): Promise<Paused>;

  /** Once every 10 s or so; who is silent for a minute is no longer listed. */
  beat(worker: WorkerPresence): Promise<void>;
  /** A worker that ends tells so. */
  leave(workerId: string): Promise<void>;
  workers(): Promise<readonly (WorkerPresence & { readonly seenAt: string })[]>;

  /**
   * Expired leases and retention, in batches; every worker may call it as often as it likes.
   * @param dead A worker that is known to be gone with all its attempts: its leases count as expired.
   * @param retention false: leases alone, which is cheap
   */
  sweep(dead?: string, retention?: boolean): Promise<SweepResult>;
  /**
   * Takes jobs over from another store, waiting and finished ones as they are: an id that is there is left alone. Where
   * a singleton key is taken, the newcomer is kept as cancelled, and says why. Resolves when all is durable.
   */
  adopt(jobs: readonly JobRecord[]): Promise<void>;
}

/** What the memory can do beside: hand its jobs over to the store it stood in for. */
export interface HandingOver {
  /** Nothing is left of it to hand over, nor anything active. */
  readonly isEmpty: boolean;
  /**
   * Jobs that are not active, in the order they were added, `most` of them. Never claimed here any more: the other store
   * may have them, even where its answer was lost. Until they are forgotten they are handed out again.
   */
  takeAll(most?: number): readonly JobRecord[];
  /** Resolves when a later life of this store holds them as well: asked before the other store is. */
  noteHandedOver(ids: readonly string[]): Promise<void>;
  /** Drops what the other store has adopted. */
  forget(ids: readonly string[]): Promise<void>;
}

export type RefusalCode = 'singleton' | 'full' | 'bad-cursor';

/** The store understood, and will not. */
export class StoreRefusal extends Failure {
  declare readonly code: RefusalCode;
  /** Of the job that is in the way. */
  readonly jobId: string | undefined;

  constructor(code: RefusalCode, message: string, jobId?: string) {
    super(message, { code });
    this.jobId = jobId;
  }
}

/** The store could not be asked, or did not answer. */
export class StoreAway extends Failure {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'store-away', cause });
  }
}
