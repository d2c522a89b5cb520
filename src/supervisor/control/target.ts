import type { Readable, Writable } from 'node:stream';
import type { Report } from '../../protocol/channel.ts';
import type { AskableProgram, ExecSignal, LogLine, ReloadChange } from '../../protocol/control.ts';
import type { JobsAnswer, JobsRequest } from '../../protocol/jobs.ts';
import type { MetricsAnswer } from '../../protocol/metrics.ts';
import type { ScheduleEnd } from '../../protocol/schedules.ts';
import type { ProductStatus, SelfStatus } from '../../protocol/status.ts';
import type { StoredToken, TokenView } from '../../protocol/tokens.ts';
import type { EventLog } from './event-log.ts';
import type { KeptRuns } from './kept-runs.ts';

/**
 * What the hall offers to people. Whatever cannot be done throws a Failure; its exit code becomes the command's.
 * Names were checked against `product()` before they arrive here.
 */
export interface ControlTarget {
  readonly dataDir: string;
  product(): ProductStatus;
  /** The supervisor about itself; costs a look into /proc. */
  self(): SelfStatus;
  /** The very answer of /readyz. */
  isReady(): boolean;
  /** What it has counted; costs a look at every process, at most every 5 s. */
  figures(): Pick<MetricsAnswer, 'runs' | 'logs' | 'reaped'>;
  /** These four only ask: they flip what is wanted and return; what comes of it is seen in events and status. */
  start(names: readonly string[]): void;
  stop(names: readonly string[]): void;
  restart(names: readonly string[]): void;
  /** With all that depends on them; returns who will be up again when it is over. */
  restartTree(names: readonly string[]): readonly string[];
  /** Services that run and depend on this one. */
  neededBy(name: string): readonly string[];
  reload(options: { readonly dryRun: boolean }): Promise<readonly ReloadChange[]>;
  /** Starts or stops replicas; tells which. They come to rest later, as after `start` and `stop`. */
  scale(sizes: Readonly<Record<string, number>>): Promise<readonly ReloadChange[]>;
  /** The plan with its secrets masked, as plain JSON data. */
  planView(): unknown;
  readonly tokens: TokenShelf;
  readonly logs: LogSource;
  readonly events: Pick<EventLog, 'since' | 'follow' | 'overhear'>;
  /** Runs a schedule now; resolves with its end. Throws where there is none of the name, or where it runs. */
  runSchedule(name: string): Promise<ScheduleEnd>;
  /** Their names. */
  jobTypes(): readonly string[];
  /** Asks the worker about jobs; never rejects. */
  jobs(request: JobsRequest): Promise<JobsAnswer>;
  /** Starts a program beside a service: as its user, in its folder, with its environment. */
  exec(service: string, argv: readonly string[]): Promise<ExecProcess>;
  /** Has the command of a sink told. Throws where there is none of the name that is one. */
  tellSink(
    name: string,
    message: { readonly json: string; readonly env: Readonly<Record<string, string>> },
  ): Promise<{ readonly ok: boolean; readonly error: string }>;
  /**
   * Runs one of our own programs; resolves with its exit code. An abort ends it.
   * @param isLook it only reads: it gives way to what runs here, and is killed where it does not end by itself
   */
  run(
    program: AskableProgram,
    input: Readonly<Record<string, string>>,
    onReport: (report: Report) => void,
    signal: AbortSignal,
    isLook?: boolean,
  ): Promise<number>;
  /** Runs of those programs that outlive who asked for them. */
  readonly kept: KeptRuns;
}

/** Tokens of the API. */
export interface TokenShelf {
  /** All there are, those of the plan and the main one as well. */
  list(): readonly TokenView[];
  /** Those that people made, with what they are told by. */
  stored(): readonly StoredToken[];
  /** Throws a Failure where the name is taken, or it cannot be kept. */
  add(token: Omit<StoredToken, 'createdAt'>): TokenView;
  /** Throws a Failure where there is none of the name that people made. */
  remove(name: string): void;
}

/** As the logs room offers it. */
interface LogSource {
  /** Kept lines, oldest first, at most `count` of the newest; undefined: of all services. */
  tail(services: readonly string[] | undefined, count: number): readonly LogLine[];
  /** Calls back for every later line, synchronously after `tail`, so that none falls between. Returns the way out. */
  follow(services: readonly string[] | undefined, onLine: (line: LogLine) => void): () => void;
}

export interface ExecProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Sends to its whole group; a process that has ended is no error. */
  signal(signal: ExecSignal | 'SIGKILL'): void;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}
