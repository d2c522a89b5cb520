/** What PID 1 tells of itself in figures: the answer of `GET /v1/metrics`. It counts; names and labels are given elsewhere. */

import type { SCHEMA_VERSION } from './schema-version.ts';
import type { ProductStatus } from './status.ts';

/** `oom`: killed for want of memory; `health`: its check called it down; `timeout`: it was not ready or done in time. */
export const EXIT_REASONS = ['asked', 'exit', 'signal', 'oom', 'timeout', 'health'] as const;
export type ExitReason = (typeof EXIT_REASONS)[number];

/** Upper bounds of the answers of checks, in ms. */
export const CHECK_BUCKETS = [5, 10, 25, 50, 100, 250, 500, 1000, 2000] as const;

export interface MetricsAnswer {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  /** With `supervisor`. */
  readonly product: ProductStatus;
  readonly ready: boolean;
  /** By service, schedule, job type and whatever else PID 1 starts; only those that have ever run. */
  readonly runs: Readonly<Record<string, RunFigures>>;
  /** By the name the log goes by. All since the start of PID 1. */
  readonly logs: Readonly<Record<string, LogFigures>>;
  /** Orphans it has waited for. */
  readonly reaped: number;
  /** CPU seconds of PID 1. */
  readonly cpuSeconds: number;
}

export interface RunFigures {
  readonly exits: Readonly<Partial<Record<ExitReason, number>>>;
  /** Milliseconds since the epoch, of the generation that lives or lived last. */
  readonly startedAt?: number;
  readonly checks?: CheckFigures;
  /** Of what lives of it, at most 5 s old; undefined: nothing does. */
  readonly load?: LoadFigures;
  /** Of all its generations, as far as somebody looked: what a process used after the last look is not in it. */
  readonly cpuSeconds?: number;
}

export interface CheckFigures {
  readonly passed: number;
  readonly failed: number;
  /** Successes by how long they took: one more than CHECK_BUCKETS, each without those before it. */
  readonly counts: readonly number[];
  /** ms of all successes together */
  readonly sum: number;
}

export interface LoadFigures {
  readonly residentBytes: number;
  /** Undefined: closed to PID 1. */
  readonly openFiles: number | undefined;
  readonly threads: number;
  readonly processes: number;
}

/** Of the rules of alerts and of those who are told, since the program that judges them began. */
export interface AlertFigures {
  /** One for each rule and state, also where there are none. */
  readonly alerts: readonly {
    readonly rule: string;
    readonly state: 'pending' | 'firing';
    readonly count: number;
  }[];
  /** Messages by what came of each try. */
  readonly sinks: readonly { readonly name: string; readonly sent: number; readonly failed: number }[];
}

export interface LogFigures {
  readonly written: number;
  readonly dropped: number;
  readonly queued: number;
  readonly failures: number;
  /** Lines that standard output did not show, and seconds it was made to wait, because it was too loud. */
  readonly hidden: number;
  readonly heldSeconds: number;
}

/** What the program `measure` reports: only what can be known from within. */
export interface Measures {
  /** Undefined: it did not answer. */
  readonly database?: DatabaseFigures;
  /** By kind; undefined: their folder is closed to us. */
  readonly backups?: readonly BackupFigures[];
}

/** Counts since the server's statistics began; bytes, seconds. */
export interface DatabaseFigures {
  readonly size: number;
  /** By what they do: active, idle, in_transaction, other. */
  readonly sessions: Readonly<Record<string, number>>;
  readonly mostSessions: number;
  readonly waitingForLocks: number;
  readonly longestTransaction: number;
  readonly blocksHit: number;
  readonly blocksRead: number;
  readonly commits: number;
  readonly rollbacks: number;
  readonly deadlocks: number;
  readonly temporaryBytes: number;
  /** Of a cluster of ours that archives its log. */
  readonly archive?: {
    readonly archived: number;
    readonly failed: number;
    /** Since the epoch. */
    readonly lastAt: number | undefined;
  };
}

export interface BackupFigures {
  readonly kind: string;
  /** How many were proven, and how many were not. */
  readonly verified: number;
  readonly unverified: number;
  /** The newest that was: seconds since the epoch of its state, and bytes. */
  readonly newest: { readonly at: number; readonly size: number } | undefined;
}
