/** The runs of a plan: what is started, how, and how it is stopped. Durations in milliseconds, sizes in bytes. */

import type { Text } from './plan-text.ts';

export type Signal = NodeJS.Signals;

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
  /** Absolute; made at every start where they are missing, and given to `user`. */
  readonly folders?: readonly string[];
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
  | 'check-database'
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
  | 'point-in-time'
  | 'compress-logs'
  | 'measure'
  | 'command'
  | 'worker'
  | 'api';

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
