/** What every program of this room is handed. */
import type { BackupsPlan, DatabasePlan } from '../config/plan.ts';
import type { Assignment, Report } from '../protocol/channel.ts';

export interface Job {
  readonly assignment: Assignment;
  readonly plan: DatabasePlan;
  readonly backups: BackupsPlan;
  /** Aborted when PID 1 asks the program to stop. */
  readonly signal: AbortSignal;
  report(report: Report): void;
  /** Something the operator should know: kept in status, and printed. */
  note(text: string): void;
  /** A line of the program's own log. */
  say(text: string): void;
  /** Ends with this code when the work is done, without a word: who failed has said so itself. */
  endWith(code: number): void;
  /** Before the process becomes another program. */
  leave(): Promise<void>;
}
