import type { DatabasePlan } from '../config/plan.ts';
import type { ProgramName } from '../config/plan-runs.ts';
import type { BackupList, MomentsView } from '../protocol/backups.ts';
import type { BundleCreated, BundleRequest } from '../protocol/bundles.ts';
import type { Report } from '../protocol/channel.ts';
import type { Finding } from '../protocol/finding.ts';

import type { BootView } from './boot-view.ts';
import type { Client } from './client.ts';
import type { Surroundings } from './surroundings.ts';
import type { Paint } from './terminal.ts';

export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** What the value is, in capitals, e.g. `DURATION`; absent: a flag. */
  readonly value?: string;
  /** The only values allowed. */
  readonly oneOf?: readonly string[];
  readonly summary: string;
}

export interface CommandSpec {
  /** One or two words: `status`, `config check`. */
  readonly name: string;
  readonly summary: string;
  /** How its arguments are written: `SERVICE…`. */
  readonly usage?: string;
  /** How many plain arguments it takes; none by default. */
  readonly arity?: { readonly least: number; readonly most: number };
  /** `after-first`: whatever follows the first plain argument belongs to another program, as in docker exec. */
  readonly passOn?: 'after-first' | 'after-dashes';
  readonly options?: readonly OptionSpec[];
  /** Exit codes beyond 0, 1, 2 that it may end with. */
  readonly exits?: readonly number[];
  readonly examples?: readonly string[];
  readonly load: () => Promise<{ readonly run: (context: Context) => Promise<number> }>;
}

/** What was given to it on the command line. */
export interface ParsedCommand {
  /** Plain arguments. */
  readonly words: readonly string[];
  /** What is passed on to another program. */
  readonly rest: readonly string[];
  has(option: string): boolean;
  value(option: string): string | undefined;
  /** Every value of an option that may be given more than once. */
  values(option: string): readonly string[];
  /** Milliseconds. */
  duration(option: string): number | undefined;
}

/** What a command gets to work with. */
export interface Context {
  /** All commands, for help; handed in, because the catalogue knows its commands and not the other way round. */
  readonly commands: readonly CommandSpec[];
  readonly spec: CommandSpec;
  readonly given: ParsedCommand;
  readonly io: Surroundings;
  readonly doors: Doors;
  readonly json: boolean;
  /** Whether standard output may bear colours. */
  readonly color: boolean;
  readonly paint: Paint;
  client(): Promise<Client>;
  /** A line for people, its commands by the name they have here; with --json, nothing. */
  say(text: string): void;
  /** The same of what is not our own words. */
  sayAsIs(text: string): void;
  /** A JSON document on standard output. */
  sayJson(value: object): void;
  /** A remark that is not the answer: to standard error, also with --json. */
  remark(text: string): void;
}

/**
 * Rooms the front door opens for us: a client imports neither the supervisor nor the database's programs. A door that
 * is missing makes its command an internal error.
 */
export interface Doors {
  /** Runs the supervisor; resolves with an exit code of protocol/exit-codes.ts `UpExit`. */
  up?(options: UpOptions): Promise<number>;
  /** How psql reaches the application's database of this volume; throws a Failure where it cannot. */
  psql?(options: PsqlOptions): Promise<Invocation>;
  /** The backups of a volume; throws a Failure where its folder is closed to us. */
  backups?(dataDir: string): Promise<BackupList>;
  /** What waits for the next start of a volume's cluster, and which clusters are kept of before. */
  outlook?(dataDir: string): Promise<{
    readonly pending: string | undefined;
    readonly problem: string | undefined;
    readonly kept: readonly { readonly name: string; readonly major: number; readonly until: string }[];
  }>;
  /** To which moments one can go back; undefined: nothing was ever archived, or it may not be looked at. */
  moments?(dataDir: string): Promise<MomentsView | undefined>;
  /** Our programs without a supervisor, under its locks; throws a Failure where somebody uses the volume. */
  alone?(options: {
    readonly tier: string | undefined;
    readonly config: string | undefined;
    /** Where plans are when nobody says so. */
    readonly defaultConfig: string;
    readonly data: string | undefined;
    readonly onOutput: (bytes: Buffer) => void;
  }): Promise<AloneRuns>;
  /** Whether the server that is not ours lets us in; says what it is, or throws a Failure saying why not. */
  externalDatabase?(
    database: DatabasePlan,
  ): Promise<{ readonly fact: string; readonly drifted: readonly string[] }>;
  /** What the files of a volume's database say; nothing is changed. */
  examineData?(dataDir: string, isRunning: boolean): Promise<readonly Finding[]>;
  /** Makes a bundle of an old host: without a supervisor, a plan or a volume. */
  bundle?(): Promise<{
    hasSecrets(request: Pick<BundleRequest, 'envFile' | 'url'>): Promise<boolean>;
    create(request: BundleRequest): Promise<BundleCreated>;
  }>;
  /** PostgreSQL's programs on this machine; throws a Failure where there are none. */
  postgres?(): Promise<{ readonly bin: string; readonly major: number; readonly embedded: boolean }>;
}

export interface AloneRuns {
  /** Resolves with its exit code; an abort ends it. */
  run(
    program: ProgramName,
    input: Readonly<Record<string, string>>,
    onReport: (report: Report) => void,
    signal: AbortSignal,
  ): Promise<number>;
  close(): void;
}

export interface PsqlOptions {
  readonly dataDir: string;
  readonly database: DatabasePlan;
  /** For psql as they are. */
  readonly args: readonly string[];
}

interface UpOptions {
  readonly tier: string | undefined;
  readonly config: string | undefined;
  readonly data: string | undefined;
  /** Shows the boot: call `show` at every change until everything is ready, `around` for whatever else is written. */
  readonly view: BootView;
}

/** A program to become: its arguments bear no secret; its environment, added to ours, may. */
export interface Invocation {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}
