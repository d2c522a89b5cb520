/**
 * The plan: the whole validated configuration of one tier, in real types.
 * After `readPlan` nobody checks again. All durations are milliseconds, all sizes bytes.
 */

/**
 * A text of the plan. Late values (`DATABASE_URL`, generated secrets) are not known when the plan is read;
 * they stay as holes and are filled each time the service starts.
 */
export type Text = string | { readonly parts: readonly (string | { readonly late: LateName })[] };

/**
 * Names that are legal in `${…}` though nothing sets them yet: resolved at start from /data/secrets; those of an
 * instance already when replicas.ts makes the instances.
 */
export type LateName = 'DATABASE_URL' | 'NEXTAUTH_SECRET' | 'BULKHEAD_INSTANCE' | 'BULKHEAD_INSTANCE_PORT';

export type Signal = NodeJS.Signals;

export interface Plan {
  readonly name: string;
  readonly tier: string;
  /** Absolute path of the volume. */
  readonly dataDir: string;
  readonly ports: { readonly probes: number; readonly api: number; readonly database: number };
  /** Total budget of a stop, from the signal to our own exit. */
  readonly stopTimeout: number;
  readonly log: { readonly level: LogLevel; readonly format: 'text' | 'json' };
  /** Bearer token that opens details of /health; undefined: only the unix socket shows them. */
  readonly token: string | undefined;
  readonly database: DatabasePlan | undefined;
  /** There wherever there is a database, with every default. */
  readonly backups: BackupsPlan | undefined;
  /** In file order; the runs of the database's boot order come first. */
  readonly runs: readonly RunPlan[];
  /** In file order. */
  readonly schedules: readonly SchedulePlan[];
  /** Runs of the files that are off, and why: `disabled` in status. */
  readonly disabled: readonly { readonly name: string; readonly why: string }[];
}

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

/** What runs when it is due. */
export interface SchedulePlan {
  readonly name: string;
  readonly cron: string;
  /** An IANA name; undefined: the container's own. */
  readonly timeZone: string | undefined;
  /** Due while it runs: nothing, or once more right after. */
  readonly overlap: 'skip' | 'queue';
  /** Missed while nobody was there: run once. */
  readonly catchUp: boolean;
  /** The longest it starts late on purpose, ms. */
  readonly jitter: number;
  /** Why it is off; undefined: it is on. */
  readonly off: string | undefined;
  readonly run: TaskPlan;
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

export type RunPlan = ServicePlan | TaskPlan;

/** What every kind of run has in common: a command with user, environment, limits, stop recipe and log. */
export interface RunBase {
  readonly name: string;
  /** `web` of `web-2`: the name by which people mean all of them. */
  readonly replicaOf?: string;
  readonly work: Command | Program;
  readonly workingDir: string | undefined;
  /** Name or uid, with an optional `:group`; used only as root. */
  readonly user: string | undefined;
  readonly environment: Readonly<Record<string, Text>>;
  /** Read again at every start; `environment` beats them. */
  readonly envFiles: readonly { readonly path: string; readonly required: boolean }[];
  readonly dependsOn: Readonly<Record<string, Dependency>>;
  readonly stop: StopLadder;
  /** A critical run that fails for good ends the container; the same word is "required" of health. */
  readonly critical: boolean;
  readonly nice: number | undefined;
  readonly oomScoreAdj: number | undefined;
  readonly confinement?: Confinement | undefined;
  /** How long from spawn to ready (service) or to exit (task); undefined: no limit. */
  readonly startTimeout: number | undefined;
  /** Ends by itself that are well besides 0, and those after which no retry helps; a death by signal n is 128 + n. */
  readonly exitCodes?: { readonly success: readonly number[]; readonly fatal: readonly number[] };
}

/** What a process may do; undefined in a run: a umask of 022, the container's limits, no capability at all. */
export interface Confinement {
  readonly umask: number | undefined;
  /** By the names of Compose, in the units of setrlimit(2); -1: no limit. */
  readonly ulimits: Readonly<Record<string, { readonly soft: number; readonly hard: number }>>;
  /** Capabilities it keeps, without CAP_; `all`: what the container has. */
  readonly capabilities: readonly string[] | 'all';
  /** Nothing is taken from it. */
  readonly privileged: boolean;
}

export interface ServicePlan extends RunBase {
  readonly kind: 'service';
  readonly ready: ReadyPlan | undefined;
  readonly healthcheck: CheckPlan | undefined;
  readonly restart: RestartPlan;
  readonly onUnhealthy: 'restart' | 'exit' | 'ignore';
  /** The longest silence between two WATCHDOG=1 of sd_notify(3), in ms; more is unhealthy. */
  readonly watchdog?: number | undefined;
  /** Bytes: the kernel holds it and its descendants to this where it can; elsewhere as `memoryRestart`. */
  readonly memoryLimit?: number | undefined;
  /** Bytes: more memory than this in use by it and its descendants is a restart, not a failure. */
  readonly memoryRestart?: number | undefined;
}

/** Runs once per boot and must succeed. */
export interface TaskPlan extends RunBase {
  readonly kind: 'task';
  /** How often a failed run is tried again before it has failed. */
  readonly retries: number;
}

export interface Command {
  readonly kind: 'command';
  /** argv; never through a shell unless the plan says `["sh", "-c", …]` or a Compose string that needs none. */
  readonly argv: readonly Text[];
  /** One of our own programs runs it, as the same user, and looks after what it leaves behind. */
  readonly through?: { readonly program: 'migrate'; readonly timeout: number | undefined };
}

/** One of our own programs, started as a child of PID 1 with its assignment on fd 3. */
export interface Program {
  readonly kind: 'program';
  readonly program: ProgramName;
}

export type ProgramName =
  | 'cluster'
  | 'database'
  | 'external-database'
  | 'setup'
  | 'migrate'
  | 'import'
  | 'database-status'
  | 'backup'
  | 'fetch-backup'
  | 'unpack-backup'
  | 'verify-backups'
  | 'prune-backups'
  | 'pin-backup'
  | 'upgrade'
  | 'rollback'
  | 'restore'
  | 'restore-files'
  | 'adopt'
  | 'point-in-time';

export interface Dependency {
  readonly condition: 'service_started' | 'service_healthy' | 'service_completed_successfully';
  /** false: a missing or failed dependency only delays nothing; the dependent starts all the same. */
  readonly required: boolean;
}

export type ReadyPlan =
  | { readonly kind: 'fd'; readonly fd: number }
  | { readonly kind: 'log'; readonly pattern: RegExp }
  /** READY=1 of sd_notify(3). */
  | { readonly kind: 'notify' }
  /** process.send('ready') of a Node program. */
  | { readonly kind: 'ipc' };

export interface CheckPlan {
  readonly probe: ProbePlan;
  readonly interval: number;
  readonly timeout: number;
  /** Failures in a row that make it down. */
  readonly retries: number;
  readonly startPeriod: number;
  /** Time between probes until the first success. */
  readonly startInterval: number;
}

export type ProbePlan =
  | { readonly kind: 'http'; readonly url: Text }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'exec'; readonly argv: readonly Text[] }
  /** pg_isready's question: does it accept connections? A socket directory or a host. */
  | {
      readonly kind: 'postgres';
      readonly host: string;
      readonly port: number;
      /** Where it may be as well: one that answers is enough. */
      readonly others?: readonly { readonly host: string; readonly port: number }[];
      /** Asks for encryption first, as its clients do: a server that wants it would write every other question down. */
      readonly encrypted?: true;
    };

export interface RestartPlan {
  readonly policy: 'no' | 'always' | 'on-failure';
  /** Backoff: first wait, growth by 2, cap. A first crash after a stable spell restarts at once. */
  readonly initialDelay: number;
  readonly maxDelay: number;
  /** Up for this long: the attempts are forgotten. */
  readonly stableAfter: number;
  /**
   * More than `limit` failures inside `window` is giving up; undefined: never. Without an end of the window the
   * failures in a row count: a stable spell begins the count anew, as in Docker.
   */
  readonly giveUp: { readonly limit: number; readonly window: number } | undefined;
}

/** Signals and waits: each rung is sent when the one before has had its time. The last rung is always SIGKILL. */
export interface StopLadder {
  readonly rungs: readonly { readonly signal: Signal; readonly wait: number }[];
  /** Whom the rungs before SIGKILL reach first: the leader, then the surviving group; PostgreSQL: the leader alone. */
  readonly target: 'leader-then-group' | 'leader';
  /** Part of the total stop budget that is kept for this run whatever the others take, in ms. */
  readonly reserve: number;
}
