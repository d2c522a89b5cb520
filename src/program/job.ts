/** What every program of this room is handed. */
import type { BackupsPlan, DatabasePlan } from '../config/plan.ts';
import type { Assignment, Report } from '../protocol/channel.ts';
import type { FromWorker, ToWorker } from '../protocol/jobs.ts';

export interface Job {
  readonly assignment: Assignment;
  /** Throws a Failure where the plan has no database. */
  readonly plan: DatabasePlan;
  /** Throws where the plan has no database. */
  readonly backups: BackupsPlan;
  /** Aborted when PID 1 asks the program to stop. */
  readonly signal: AbortSignal;
  report(report: Report): void;
  /** Something the operator should know: kept in status, and printed. */
  note(text: string): void;
  /** Of the worker: a message for PID 1. */
  send(message: FromWorker): void;
  /**
   * Of the worker: everything PID 1 says after the assignment; from then on the channel keeps the program alive.
   * `onEnd`: PID 1 is gone.
   */
  hear(listener: (message: ToWorker) => void, onEnd: () => void): void;
  /** How long it may go on once it is asked to stop, in ms; else 1500. Its exit code is 143 all the same. */
  takeForStop(ms: number): void;
  /** Of a service: tells PID 1 from now on, again and again, that it lives; one that falls silent is started anew. */
  showLife(): void;
  /** A line of the program's own log. */
  say(text: string): void;
  /** Ends with this code when the work is done, without a word: who failed has said so itself. */
  endWith(code: number): void;
  /** Before the process becomes another program. */
  leave(): Promise<void>;
}
