/** What the program `point-in-time` answers and `bulkhead backup restore --to-time` prints. Times ISO 8601, sizes bytes. */

export interface PointInTimePlan {
  /** The moment asked for; undefined: the end of what is archived. */
  readonly to: string | undefined;
  /** The same as the server takes it, to the microsecond. */
  readonly target: string | undefined;
  /** The base backup it begins with, and the timeline it follows. */
  readonly base: string;
  readonly timeline: number;
  /** The moments that can be reached from that backup. */
  readonly from: string;
  readonly until: string;
  /** There is a cluster in use that it takes the place of. */
  readonly replaces: boolean;
  /** Of the log that may have to be replayed. */
  readonly segments: number;
  readonly needed: number;
  readonly free: number;
}

/** The recovered cluster, before anybody said that it shall take the place of the one in use. */
export interface PointInTimeResult extends PointInTimePlan {
  /** To be named when it is confirmed. */
  readonly stage: string;
  /** Of the last transaction in it; undefined: none came after the base backup. */
  readonly reached: string | undefined;
  /** The end of what was replayed: `0/3000138`. */
  readonly lsn: string;
  readonly durationMs: number;
  readonly tables: readonly TableCounts[];
}

export interface TableCounts {
  readonly database: string;
  /** Quoted where needed: `public.tools`. */
  readonly table: string;
  /** Rows; undefined: no such table. */
  readonly live: number | undefined;
  readonly restored: number | undefined;
}
