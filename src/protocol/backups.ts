/**
 * What a backup says of itself: files beside its content, and what `bulkhead backup list --json` prints.
 *
 *   <backups>/<kind>/<id>/manifest.json   written last, before the folder gets its name; never changed
 *   <backups>/<kind>/<id>/verified.json   the newest verification
 *   <backups>/<kind>/<id>/offsite.json    where copies are
 *   <backups>/<kind>/<id>/pinned          an empty file: never pruned
 *
 * A folder without a manifest is no backup.
 */
export const MANIFEST = 'manifest.json';
export const VERIFIED = 'verified.json';
/** `{"copies": ["s3://bucket/prefix"]}` */
export const OFFSITE = 'offsite.json';
export const PINNED = 'pinned';

/** Of a dump: the roles, as SQL. */
export const GLOBALS_FILE = 'globals.sql';
/** Of a base backup: the folder of the cluster. */
export const CLUSTER_FOLDER = 'cluster';

/** Of a dump: the archive of this database, in pg_dump's custom format. */
export function dumpFile(database: string): string {
  return `${database}.dump`;
}

export const BACKUP_KINDS = ['dump', 'base', 'assets', 'config'] as const;
export type BackupKind = (typeof BACKUP_KINDS)[number];

/** Made before a migration that had changed, by the boot itself. */
export type BackupLabel = 'before-migration';

export interface BackupManifest {
  /** 2 where fingerprints are of the second form, which builds that read 1 alone would take for damage. */
  readonly schema: 1 | 2;
  /** Sorts by time: `20261121T020000Z-dump-3f9ac1`. */
  readonly id: string;
  readonly kind: BackupKind;
  /** ISO 8601, when its state was fixed: the moment a restore goes back to. */
  readonly startedAt: string;
  readonly endedAt: string;
  readonly installId: string | undefined;
  /** Version of Bulkhead. */
  readonly tool: string;
  /** Which one of its kind it is on this volume, from 1: the order in which they were made, whatever clocks said. */
  readonly number?: number;
  /** Why it was made; none where a person or a schedule asked for it. */
  readonly label?: BackupLabel;
  /** Every file of the backup but these four, relative to its folder. */
  readonly files: readonly BackupFile[];
  /** Folders that are part of it though nothing lies in them. */
  readonly emptyFolders?: readonly string[];
  /** Of a dump and a base backup. */
  readonly server?: {
    readonly version: string;
    readonly major: number;
    /** Empty where the server is not ours. */
    readonly systemIdentifier: string;
  };
  readonly databases?: readonly BackupDatabase[];
  /** Of a base backup: what WAL it needs to be whole. */
  readonly wal?: { readonly startLsn: string; readonly endLsn: string; readonly timeline: number };
  /** Of an encrypted file: to whom; the hash is of the file as it lies there. */
  readonly recipients?: readonly string[];
  /** Another backup this one cannot be restored without. */
  readonly parent?: string;
}

export interface BackupFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
}

export interface BackupDatabase {
  readonly name: string;
  readonly owner: string;
  readonly extensions: readonly string[];
  /** Taken in the dump's own snapshot; of a base backup, none. */
  readonly tables: readonly { readonly table: string; readonly rows: number; readonly hash: string }[];
}

/**
 * `files`: sizes and hashes are the manifest's. `readable`: its own tool read it to the end (pg_restore,
 * pg_verifybackup). `restored`: it was restored into a scratch cluster and its fingerprints were equal.
 */
export const VERIFY_LEVELS = ['files', 'readable', 'restored'] as const;
export type VerifyLevel = (typeof VERIFY_LEVELS)[number];

export interface Verification {
  readonly level: VerifyLevel;
  /** ISO 8601 */
  readonly at: string;
  readonly ok: boolean;
  readonly problem: string | undefined;
  readonly durationMs: number;
}

export interface BackupView {
  readonly id: string;
  readonly kind: BackupKind;
  readonly startedAt: string;
  /** Bytes of all its files. */
  readonly size: number;
  readonly verified: Verification | undefined;
  readonly pinned: boolean;
  /** Where copies of it are, e.g. `s3://bucket/prefix`. */
  readonly offsite: readonly string[];
  /** Why the folder is no backup that can be used; undefined where it can. */
  readonly broken: string | undefined;
  /** Why it was made, where nobody asked for it. */
  readonly label?: BackupLabel;
}

/** A backup counts only when it was verified beyond its files. */
export function isProven(verified: Verification | undefined): boolean {
  return verified?.ok === true && verified.level !== 'files';
}

/** `bytes`: what was read or restored, for a speed. */
export interface VerifyResult extends Verification {
  readonly id: string;
  readonly bytes: number;
}

/** What `bulkhead backup run --json` prints. */
export interface BackupRunResult {
  readonly made: readonly MadeBackup[];
  readonly pruned: PruneResult;
}

export interface MadeBackup {
  readonly backup: BackupView;
  /** Of making it, without verifying. */
  readonly durationMs: number;
  readonly verified: VerifyResult;
}

export interface PruneResult {
  readonly dryRun: boolean;
  /** Why nothing, or nothing of a kind, may be removed now. */
  readonly held: readonly string[];
  /** Segments of archived WAL that no base backup needs any more, where some were removed. */
  readonly walSegments?: number;
  /** Every backup; `keep` false: removed, or would be. */
  readonly backups: readonly {
    readonly id: string;
    readonly kind: BackupKind;
    readonly startedAt: string;
    readonly size: number;
    readonly keep: boolean;
    readonly reasons: readonly string[];
  }[];
}

/** `<backups>/last-run.json` */
export interface LastRun {
  /** ISO 8601 */
  readonly at: string;
  readonly what: string;
  readonly ok: boolean;
  readonly problem: string | undefined;
}

/** What `bulkhead backup list --json` prints. */
export interface BackupList {
  /** Newest first. */
  readonly backups: readonly BackupView[];
  /** How the last `backup run` ended; undefined where there was none. */
  readonly lastRun: LastRun | undefined;
}

/** The newest that was proven to hold a database and has not been damaged since, as far as a look shows. */
export function lastRestorable(backups: readonly BackupView[]): BackupView | undefined {
  return backups.find(
    ({ kind, verified, broken }) =>
      (kind === 'dump' || kind === 'base') && broken === undefined && isProven(verified),
  );
}

/** To which moments `bulkhead backup restore --to-time` can go back. All times ISO 8601. */
export interface MomentsView {
  /** Oldest first. */
  readonly windows: readonly MomentWindow[];
  /** When nothing was archived; without `until`, still. */
  readonly gaps: readonly {
    readonly since: string;
    readonly until: string | undefined;
    readonly reason: 'disk' | 'off';
  }[];
  /** Segments that PostgreSQL has finished and nobody has archived yet, and since when the oldest waits. */
  readonly waiting: number;
  readonly waitingSince: string | undefined;
}

export interface MomentWindow {
  /** The base backup it begins with. */
  readonly base: string;
  readonly timeline: number;
  readonly from: string;
  readonly to: string;
  /** The first segment that is missing, though there are later ones. */
  readonly hole: string | undefined;
}
