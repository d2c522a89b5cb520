/** What the program `database-status` answers and `bulkhead db status` prints; numbers are bytes, counts and ports. */
export interface DatabaseStatus {
  readonly serverVersion: string;
  /** Relative to /data/pg: `17/main`; undefined where the server is not ours. */
  readonly cluster: string | undefined;
  /** Where the server is that is not ours. */
  readonly external?: ExternalView;
  readonly database: string;
  readonly user: string;
  readonly port: number;
  readonly exists: boolean;
  /** Bytes on disk. */
  readonly size: number | undefined;
  readonly tables: number | undefined;
  /** As the planner knows it: an estimate. */
  readonly rows: number | undefined;
  readonly connections: number;
  readonly startedAt: string;
  /** Starts that had to recover, because the stop before was none; `lastAt` ISO 8601. */
  readonly uncleanStops: { readonly count: number; readonly lastAt: string | undefined };
  /** What has happened to its databases, oldest first. */
  readonly ledger: readonly LedgerView[];
  /** Clusters that were in use before, newest first: `bulkhead db rollback NAME`. */
  readonly kept: readonly KeptView[];
  /** Databases that were replaced, newest first; they stay until somebody deletes them. */
  readonly keptDatabases: readonly KeptDatabaseView[];
  /** Databases whose text is sorted otherwise today than when their indexes were built. */
  readonly drifted: readonly string[];
  /** `value`: what holds now; `source`: which of them made it so. */
  readonly settings: readonly SettingView[];
}

export interface ExternalView {
  /** `db.example.com:5432` */
  readonly host: string;
  /** `TLSv1.3`, or `not encrypted`. */
  readonly encryption: string;
  readonly pooler: 'none' | 'session' | 'transaction';
}

/**
 * `collation`: the order of text was looked at, and indexes were built anew where it had changed; `found`: an external
 * database held something when it was first used; `before-migration`: the migration, by its fingerprint, that was
 * another one than before, and the dump that was made before it, where there was something to dump.
 */
export type LedgerKind =
  | 'import'
  | 'create'
  | 'collation'
  | 'restore'
  | 'upgrade'
  | 'adopt'
  | 'found'
  | 'before-migration';

export interface LedgerView {
  readonly id: string;
  readonly kind: LedgerKind;
  /** ISO 8601 once it has travelled as JSON. */
  readonly at: string | Date;
  readonly detail: {
    readonly file?: string;
    readonly rows?: number;
    readonly format?: string;
    /** The dump made before a migration. */
    readonly backup?: string;
    /** Indexes built anew, by database. */
    readonly rebuilt?: Readonly<Record<string, number>>;
  };
}

export interface KeptView {
  readonly name: string;
  readonly major: number;
  /** ISO 8601: out of use since, and deleted after. */
  readonly since: string;
  readonly until: string;
}

export interface KeptDatabaseView {
  readonly name: string;
  /** ISO 8601: out of use since. */
  readonly since: string;
  readonly bytes: number;
}

export interface SettingView {
  readonly name: string;
  readonly value: string;
  readonly source: string;
  readonly reason: string;
}
