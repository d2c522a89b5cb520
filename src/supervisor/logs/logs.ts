/**
 * The logs room: bytes of services → lines → standard output and one file per service.
 *
 * The file has every line: when it is behind, the service waits for it, and otherwise only where it is so loud that
 * others wait for a processor (loud-services.ts). Standard output is whoever's pipe it is; it is bounded, never waited
 * for, and what it must drop is counted and said. Plain lines are copied as bytes and never become strings.
 */
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { LogFormat, LogLevel } from '../../config/plan.ts';
import type { LogLine } from '../../protocol/control.ts';
import { LEVEL_NUMBERS } from '../../protocol/levels.ts';
import { OWN_NAME, parseStoredLine, shortJobId } from '../../protocol/stored-line.ts';
import { readStructured } from '../../protocol/structured.ts';
import { type OpenEnds, readKeptLines } from './kept-lines.ts';
import { type Filter, Listeners } from './listeners.ts';
import { LoudServices } from './loud-services.ts';
import { OutputWriter } from './output-writer.ts';
import type { FileEvent, LogFile, Output, OutputPipe, ProcessorWaits, RestraintEvent } from './ports.ts';
import type { JobMark } from './record-shapes.ts';
import { Redactor } from './redactor.ts';
import { type Look, Renderer } from './render.ts';
import { countOf, missing, ServiceLog } from './service-log.ts';
import { tellRestraint } from './tell-restraint.ts';
import { tellingLine } from './telling-line.ts';

/** Among how many of the newest the telling one is sought: a stack of Node and what stands around it. */
const TELLING_LINES = 20;

export interface LogsOptions {
  readonly clock: Clock;
  readonly output: Output;
  readonly openFile: (service: string) => LogFile;
  /** For the lines memory no longer holds; without it they are not shown. */
  readonly openEnds?: OpenEnds;
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** false: no colour even on a terminal (NO_COLOR, https://no-color.org). */
  readonly colour: boolean;
  /** Names known beforehand, for alignment. */
  readonly services: readonly string[];
  /** What no line may show. */
  readonly redactor?: Redactor;
  /** Without it no service is too loud. */
  readonly waits?: ProcessorWaits;
  /** Files have what standard output does not show. */
  readonly hasFiles?: boolean;
  readonly restrained?: (event: RestraintEvent) => void;
  readonly fileTold?: (event: FileEvent) => void;
  /** Our own process id, a field of our own records. */
  readonly pid: number;
}

export interface Attachment {
  /** Both streams have ended and their last lines were handed on. */
  readonly drained: Promise<void>;
  /** From now on it is not made to wait for being loud: it is to end, or has. */
  rush(): void;
  /** Waits for the streams' ends no longer than this many ms. */
  closeWithin(ms: number): void;
}

/** Of one service since the start; lines, but for `queued`, which is bytes, and `failures`, which are writes. */
interface FileStats {
  readonly written: number;
  readonly dropped: number;
  readonly queued: number;
  readonly failures: number;
  /** Lines standard output did not show, and seconds it was made to wait: it was too loud. */
  readonly hidden: number;
  readonly heldSeconds: number;
}

interface LogsStats {
  /** Lines that standard output has missed; those that were hidden from it are not among them. */
  readonly outputDropped: number;
  readonly outputQueued: number;
  /** False: what standard output has missed is nowhere. */
  readonly hasFiles: boolean;
  readonly files: Readonly<Record<string, FileStats>>;
}

export interface Logs {
  /** Reads a new generation's output; `pid` and `job` become fields of its JSON records. */
  attach(
    service: string,
    generation: number,
    streams: { readonly stdout: OutputPipe; readonly stderr: OutputPipe },
    pid?: number,
    job?: JobMark,
  ): Attachment;
  /** PID 1's own line, if its level is shown. */
  own(level: LogLevel, msg: string, fields?: Readonly<Record<string, unknown>>): void;
  /** The most telling of the newest lines, of one job alone; of a JSON record only its message, for sentences. */
  lastLine(service: string, jobId?: string): string | undefined;
  /** The newest lines by time, oldest first: from memory (32 KiB a service), and where that is not enough from files. */
  tail(services: readonly string[] | undefined, count: number): LogLine[];
  /** Tells every line from now on; the returned function ends it. Called synchronously: keep it short. */
  follow(services: readonly string[] | undefined, onLine: (line: LogLine) => void): () => void;
  /** Calls once, at the first line of this generation that matches (`ready.log`); the returned function gives up. */
  onMatch(service: string, generation: number, pattern: RegExp, onMatch: (line: string) => void): () => void;
  /** Opens every file anew: somebody has moved them. */
  reopen(): void;
  /** Writes out what is held, not longer than `ms`; afterwards nothing is shown any more. */
  close(ms: number): Promise<void>;
  stats(): LogsStats;
}

/** Opens the room. Nothing is written and no file is opened before the first line. */
export function openLogs(options: LogsOptions): Logs {
  const { clock, output, redactor = new Redactor() } = options;
  let nameWidth = Math.min(20, Math.max(...[OWN_NAME, ...options.services].map((name) => name.length)));
  const look: Look = {
    format: options.format,
    colour: options.colour && output.isTerminal,
    shortTime: output.isTerminal,
    nameWidth: () => nameWidth,
  };
  const services = new Map<string, ServiceLog>();
  const listeners = new Listeners((error) => own('error', `a reader of the log failed: ${messageOf(error)}`));
  const ownRenderer = new Renderer(look, OWN_NAME, 'note', options.pid);
  const plainRenderer = new Renderer({ ...look, format: 'text', colour: false }, OWN_NAME, 'note');
  const writer = new OutputWriter(output, clock, {
    gone: (error) => logOf(OWN_NAME).store(`WARN  standard output is gone: ${error.message}; files go on`),
    missingLines: (dropped, hidden) => {
      ownRenderer.at(clock.now());
      const level = LEVEL_NUMBERS.warn;
      const where = tellWhere();
      const why = 'its reader or this machine is too slow';
      const lost = `${missing(dropped)} of standard output: ${why}; ${where}`;
      const spared = `did not show ${countOf(hidden)} of services that write too much; ${where}`;
      return Buffer.concat([
        ...(dropped > 0 ? [ownRenderer.parts({ level, msg: lost, fields: { dropped } })] : []),
        ...(hidden > 0 ? [ownRenderer.parts({ level, msg: spared, fields: { hidden } })] : []),
      ]);
    },
  });
  const loud = new LoudServices({
    clock,
    waits: options.waits,
    mayHide: () => writer.isShown && options.hasFiles !== false,
    told: (event) => {
      own(event.what === 'free' ? 'info' : 'warn', tellRestraint(event));
      options.restrained?.(event);
    },
  });
  let closed = false;

  function logOf(name: string): ServiceLog {
    let log = services.get(name);
    if (!log) {
      nameWidth = Math.min(20, Math.max(nameWidth, name.length));
      log = new ServiceLog(name, options.openFile(name), {
        clock,
        look,
        output: writer,
        listeners,
        redactor,
        loud,
        fileTold: (event) => options.fileTold?.(event),
        say: own,
      });
      services.set(name, log);
    }
    return log;
  }

  /** What else has the lines that standard output has dropped since it was asked last. */
  function tellWhere(): string {
    if (options.hasFiles === false) return 'nothing else has them';
    const torn = [...services.values()].filter((log) => log.missesLines()).map(({ name }) => name);
    if (torn.length === 0) return 'the files have them';
    return `the log file${torn.length === 1 ? '' : 's'} of ${torn.join(', ')} ${torn.length === 1 ? 'misses' : 'miss'} lines too`;
  }

  function own(level: LogLevel, msg: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (closed || LEVEL_NUMBERS[level] < LEVEL_NUMBERS[options.level] || level === 'silent') return;
    const now = clock.now();
    const parts = { level: LEVEL_NUMBERS[level], msg: redactor.hideText(msg), fields: hideFields(fields) };
    ownRenderer.at(now);
    writer.queue.addLine(ownRenderer.parts(parts), true);
    writer.kick();
    const line = plainRenderer.sentence(parts);
    logOf(OWN_NAME).store(line);
    if (listeners.wants(OWN_NAME)) {
      listeners.tell({ time: new Date(now).toISOString(), service: OWN_NAME, stream: 'note', line }, 0);
    }
  }

  function hideFields(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
      Object.entries(fields).map(([key, value]) => [
        key,
        typeof value === 'string' ? redactor.hideText(value) : value,
      ]),
    );
  }

  const filterOf = (names: readonly string[] | undefined): Filter => ({ services: names && new Set(names) });

  function tail(names: readonly string[] | undefined, count: number): LogLine[] {
    const asked = new Set(names ?? [OWN_NAME, ...options.services, ...services.keys()]);
    const kept = [...asked].map((name) => ({ name, tail: services.get(name)?.tail }));
    return readKeptLines(kept, count, options.openEnds ?? (() => () => undefined));
  }

  return {
    attach: (service, generation, streams, pid, job) => {
      const log = logOf(service);
      if (job) nameWidth = Math.min(20, Math.max(nameWidth, `${service} ${shortJobId(job.id)}`.length));
      const ends = [
        log.read(streams.stdout, 'stdout', generation, pid, job),
        log.read(streams.stderr, 'stderr', generation, pid, job),
      ];
      return {
        drained: Promise.all(ends).then(() => {}),
        rush: () => {
          for (const pipe of [streams.stdout, streams.stderr]) log.rush(pipe);
        },
        closeWithin: (ms) => {
          for (const pipe of [streams.stdout, streams.stderr]) {
            log.hurry(pipe);
            pipe.closeWithin(ms);
          }
        },
      };
    },
    own,
    lastLine: (service, jobId) => {
      // Of many that write at once the one that is meant may have been silent for long.
      const among = jobId === undefined ? TELLING_LINES : Number.POSITIVE_INFINITY;
      const stored = services.get(service)?.tail.lines(among) ?? [];
      const job = jobId && shortJobId(jobId);
      // In a sentence for people a record is its message.
      const lines = stored.flatMap((text) => {
        const line = parseStoredLine(service, text);
        if (line === undefined || (job !== undefined && line.job !== job)) return [];
        return [readStructured(line.line)?.msg ?? line.line];
      });
      return tellingLine(lines.slice(-TELLING_LINES));
    },
    tail,
    follow: (names, onLine) => listeners.follow(filterOf(names), onLine),
    onMatch: (service, generation, pattern, onMatch) =>
      listeners.match(service, generation, pattern, onMatch),
    reopen: () => {
      for (const log of services.values()) log.file.reopen();
    },
    close: async (ms) => {
      closed = true;
      loud.end();
      const written = Promise.all([writer.close(), ...[...services.values()].map((log) => log.file.close())]);
      await new Promise<void>((resolve) => {
        const disarm = clock.after(ms, resolve);
        void written.then(() => {
          disarm();
          resolve();
        });
      });
    },
    stats: () => ({
      outputDropped: writer.queue.dropped,
      outputQueued: writer.queue.bytes,
      hasFiles: options.hasFiles !== false,
      files: Object.fromEntries(
        [...services].map(([name, { file, flow }]) => [
          name,
          {
            written: file.written,
            dropped: file.queue.dropped,
            queued: file.queue.bytes,
            failures: file.failures,
            hidden: flow.hiddenLines,
            heldSeconds: flow.heldMs / 1000,
          },
        ]),
      ),
    }),
  };
}
