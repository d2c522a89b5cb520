/** What people are shown of the schedules, and how they run one. */
import type { SCHEMA_VERSION } from './schema-version.ts';

export interface ScheduleStatus {
  readonly name: string;
  readonly status: 'off' | 'idle' | 'running';
  /** Of `off`: why. Else the expression. */
  readonly reason: string;
  /** ISO 8601; undefined: it is off. */
  readonly nextRun: string | undefined;
  /** ISO 8601, of the run under way. */
  readonly runningSince: string | undefined;
  /** Of the run under way, where there is something to say: "added scrape 1f2e3d4c". */
  readonly doing?: string;
  readonly lastRun: ScheduleEnd | undefined;
  /** ISO 8601, when a run of it last ended well. */
  readonly lastSuccess?: string;
  /** Times it was due and not run: nobody was there, or it still ran. */
  readonly missed?: number;
}

/** How a run of it ended. */
export interface ScheduleEnd {
  /** ISO 8601 */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly ok: boolean;
  /** Where it failed: "exit 1; last line: …". Else what came of it, where there is something to say: "scrape 1f2e3d4c is done". */
  readonly reason: string;
}

/** The answer of POST /v1/schedules/run. */
export interface ScheduleRunAnswer {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly name: string;
  /** Undefined where nobody waited for its end. */
  readonly end: ScheduleEnd | undefined;
  /** What it is doing, where its end was not there in time. */
  readonly doing?: string;
}
