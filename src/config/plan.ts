/**
 * The plan: the whole validated configuration of one tier, in real types.
 * After `readPlan` nobody checks again. All durations are milliseconds, all sizes bytes.
 */

import type { AlertsPlan } from './plan-alerts.ts';
import type { ApiPlan, AttemptPlan, JobsPlan } from './plan-jobs.ts';
import type { RunPlan } from './plan-runs.ts';
import type { SchedulePlan } from './plan-schedules.ts';
import type { Text } from './plan-text.ts';

export interface Plan {
  readonly name: string;
  readonly tier: string;
  /** Absolute path of the volume. */
  readonly dataDir: string;
  readonly ports: { readonly probes: number; readonly api: number; readonly database: number };
  /** Total budget of a stop, from the signal to our own exit. */
  readonly stopTimeout: number;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  readonly logs: LogsPlan;
  /** Bearer token that opens details of /health; undefined: only the unix socket shows them. */
  readonly token: string | undefined;
  readonly database: DatabasePlan | undefined;
  /** There wherever there is a database, with every default. */
  readonly backups: BackupsPlan | undefined;
  /** In file order; the runs of the database's boot order come first. */
  readonly runs: readonly RunPlan[];
  /** There where there are jobs. */
  readonly jobs: JobsPlan | undefined;
  /** One for each type of job, in file order. */
  readonly attempts: readonly AttemptPlan[];
  /** There wherever there are jobs, unless it is off. */
  readonly api: ApiPlan | undefined;
  /** Undefined: nothing is judged. */
  readonly alerts: AlertsPlan | undefined;
  /** In file order. */
  readonly schedules: readonly SchedulePlan[];
  /** Runs of the files that are off, and why: `disabled` in status. */
  readonly disabled: readonly { readonly name: string; readonly why: string }[];
}

/** What is kept of the lines of services. Sizes in bytes. */
export interface LogsPlan {
  readonly files: boolean;
  /** Days, by the date in a file's name. */
  readonly keepDays: number;
  /** A file of this size is continued in another. */
  readonly maxFile: number;
  /** All files together. */
  readonly maxTotal: number;
}

/** Of standard output: for people, or one JSON record a line, with the names of pino, of ECS or of OpenTelemetry. */
export type LogFormat = 'text' | 'json' | 'ecs' | 'otel';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

export interface DatabasePlan {
  /** Whose server it is: undefined for the cluster of our own volume, which `systemUser` and `settings` are about. */
  readonly external?: ExternalServer | undefined;
  /** What the plan or BULKHEAD_DATABASE_MODE says it must be; without that a volume never changes from one to the other. */
  readonly mode?: DatabaseMode | undefined;
  readonly name: string;
  readonly user: string;
  /** From DATABASE_URL or its file; undefined: generated once into /data/secrets/app_password. */
  readonly password: string | undefined;
  readonly port: number;
  /** Addresses besides the loopback; `*`: all. */
  readonly listen?: readonly string[];
  /** System user that owns the cluster, when we are root. */
  readonly systemUser: string;
  /** Where the one dump may come from, besides /data/import and /data/current-db-backup.sql. */
  readonly importFrom: string | undefined;
  /** A different dump at a later boot takes the place of the database; undefined: it is a word in the log. */
  readonly importMode?: 'replace';
  /** What needs a superuser in a dump runs as one. */
  readonly importTrusted?: true;
  /** SQL without pg_dump's trailer is imported too. */
  readonly importTrustsIncomplete?: true;
  /** Made by the superuser before anything else is in the database. */
  readonly extensions?: readonly string[];
  /** The sample of the shipped app, used only where there is no other dump. */
  readonly sample: string | undefined;
  /** The task `migrate`, as far as it matters before it runs; undefined: there is none. */
  readonly migration?: {
    readonly argv: readonly Text[];
    readonly workingDir: string | undefined;
    /** Dump the database before it, where it is another one than at the last start. */
    readonly safetyDump: boolean;
  };
  /** SQL files run once, in order, in a new and empty database. */
  readonly init: readonly string[];
  /** Settings of postgresql.conf that beat the tuned ones. */
  readonly settings: Readonly<Record<string, string>>;
  /** Parameters of a given DATABASE_URL (`schema=public`), to be appended to the computed one after a `?`. */
  readonly urlQuery?: string;
}

/** What is backed up, what of it is kept, and where copies go. */
export interface BackupsPlan {
  /** A backup that any of these keeps is kept. */
  readonly keep: {
    readonly days: number;
    /** The newest of each of so many ISO weeks. */
    readonly weekly: number;
    /** The newest of each of so many months. */
    readonly monthly: number;
    /** The newest so many that were verified; at least 1. */
    readonly verified: number;
  };
  /** Folders, absolute. */
  readonly assets: readonly string[];
  /** Files and folders of configuration, absolute. */
  readonly config: readonly string[];
  /** Public keys of age; empty: nothing is encrypted, and secrets are left out. */
  readonly recipients: readonly string[];
  /** Bytes of the disk a backup must leave free. */
  readonly diskFloor: number;
  readonly pointInTime: boolean;
  readonly offsite: OffsitePlan | undefined;
}

/** An S3-compatible store. */
export interface OffsitePlan {
  /** Undefined: Amazon's. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly bucket: string;
  /** Without slashes at its ends. */
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The bucket stands in the path, not in the host name. */
  readonly pathStyle: boolean;
}

export type DatabaseMode = 'embedded' | 'external';

/** A PostgreSQL outside the container, as DATABASE_URL names it. */
export interface ExternalServer {
  /** As it was given, with its password. */
  readonly url: string;
  /** In the order they are tried; `host` is the name people and certificates use, `address` what is connected to. */
  readonly hosts: readonly { readonly host: string; readonly address: string; readonly port: number }[];
  /** Of the URL, by libpq's names: `sslmode`, `options`, `connect_timeout` … */
  readonly parameters: Readonly<Record<string, string>>;
}
