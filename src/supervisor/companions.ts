/**
 * What runs beside the services because somebody asks: a command in a service's place (`exec`), the command of a
 * check, one of our own programs. None of them is a run of the plan; all of them end with the supervisor.
 */
import { PassThrough, type Readable } from 'node:stream';
import { Failure } from '../base/errors.ts';
import type { ProgramName, RunPlan } from '../config/plan-runs.ts';
import type { Report } from '../protocol/channel.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { systemClock } from '../system/clock.ts';
import type { OutputPipe } from '../system/output-pipe.ts';
import { type SpawnedProcess, type SpawnOptions, spawnProcess } from '../system/process.ts';
import type { ExecProcess } from './control/target.ts';
import type { HealthPorts, ProbeExit } from './health/ports.ts';
import type { LaunchSource } from './launch-source.ts';
import { readReport, spawnOptions } from './launcher.ts';
import type { Logs } from './logs/logs.ts';
import { type Resolved, resolveLaunch } from './resolve-launch.ts';
import type { Exit } from './services/ports.ts';

export interface Companions {
  /** Starts a command as the user, in the folder and with the environment of a run. */
  exec(run: RunPlan, argv: readonly string[]): Promise<ExecProcess>;
  /** Runs the command of a check; an abort kills its whole family. */
  probe(run: RunPlan, argv: readonly string[], signal: AbortSignal): ReturnType<HealthPorts['runProbe']>;
  /**
   * Runs one of our own programs as a run of the plan would be; resolves with its exit code. An abort asks it to end.
   * @param killAfterMs so long after that it is killed; missing: it gets the time it needs, to leave nothing half done
   */
  program(
    run: RunPlan,
    program: ProgramName,
    input: Readonly<Record<string, string>>,
    onReport: (report: Report) => void,
    signal: AbortSignal,
    killAfterMs?: number,
  ): Promise<number>;
  /** Asks all that run to end, and takes no more. */
  stop(): void;
  /** Ends whoever is left. */
  kill(): void;
}

interface Ending {
  readonly exited: Promise<Exit>;
  readonly emptied: Promise<void>;
}

/** What a shell ends with where the program is missing, or is none it may run. */
function refuseAsShell(error: unknown): never {
  if (!(error instanceof Failure) || (error.code !== 'ENOENT' && error.code !== 'EACCES')) throw error;
  throw new Failure(error.message, {
    code: error.code,
    exitCode: error.code === 'ENOENT' ? 127 : 126,
    ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
    cause: error,
  });
}

export function createCompanions(source: LaunchSource, logs: Logs): Companions {
  const running = new Set<SpawnedProcess>();
  let count = 0;
  let isStopping = false;

  async function start(
    what: string,
    resolved: Resolved,
    options: Pick<SpawnOptions, 'stdin' | 'nice'> & { readonly onLine?: (line: string) => void } = {},
  ): Promise<{ child: SpawnedProcess } & Ending> {
    if (isStopping) {
      throw new Failure(`cannot run ${what}: everything is being stopped`, {
        code: 'stopping',
        exitCode: CommandExit.refused,
      });
    }
    count += 1;
    const exited = Promise.withResolvers<Exit>();
    const emptied = Promise.withResolvers<void>();
    return new Promise((resolve, reject) => {
      const child = spawnProcess(
        {
          ...spawnOptions({ nice: options.nice }, `${what}:${count}`, resolved),
          stdin: options.stdin,
        },
        {
          failed: reject,
          ready: () => undefined,
          message: (line) => options.onLine?.(line),
          exited: (exit) => exited.resolve(exit),
          emptied: () => {
            if (child) running.delete(child);
            emptied.resolve();
          },
        },
      );
      if (child === undefined) return;
      running.add(child);
      resolve({ child, exited: exited.promise, emptied: emptied.promise });
    });
  }

  return {
    async exec(run, argv) {
      const command = beside(run, argv, source);
      const { child, exited, emptied } = await start('exec', command, { stdin: true }).catch(refuseAsShell);
      const [stdout, stderr] = [toReadable(child.stdout), toReadable(child.stderr)];
      void emptied.then(() => {
        child.stdout.closeWithin(LEFTOVER_MS);
        child.stderr.closeWithin(LEFTOVER_MS);
      });
      return {
        stdin: child.stdin ?? new PassThrough(),
        stdout,
        stderr,
        signal: (signal) => void child.signal(signal, signal === 'SIGKILL' ? 'everything' : 'group'),
        exited,
      };
    },

    async probe(run, argv, signal) {
      const { child, exited, emptied } = await start('probe', beside(run, argv, source));
      const tail = keepLastLine(child);
      const kill = (): void => void child.signal('SIGKILL', 'everything');
      if (signal.aborted) kill();
      else signal.addEventListener('abort', kill, { once: true });
      const exit = await exited;
      // What a probe leaves behind would pile up, one more at every interval.
      kill();
      await emptied;
      signal.removeEventListener('abort', kill);
      child.stdout.closeWithin(LEFTOVER_MS);
      child.stderr.closeWithin(LEFTOVER_MS);
      return { ...exit, lastLine: await tail } satisfies ProbeExit;
    },

    async program(run, program, input, onReport, signal, killAfterMs) {
      const resolved = resolveLaunch({ ...run, work: { kind: 'program', program } }, source, input);
      const { child, exited, emptied } = await start(program, resolved, {
        nice: run.nice,
        onLine: (line) => readReport(line, onReport, logs, program),
      });
      const attachment = logs.attach(program, count, child, child.pid);
      child.send(JSON.stringify(resolved.assignment));
      let disarm: () => void = () => undefined;
      const end = (): void => {
        child.signal('SIGTERM', 'leader');
        if (killAfterMs === undefined) return;
        disarm = systemClock.after(killAfterMs, () => void child.signal('SIGKILL', 'everything'));
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
      const exit = await exited;
      await emptied;
      disarm();
      signal.removeEventListener('abort', end);
      attachment.closeWithin(LEFTOVER_MS);
      await attachment.drained;
      return exit.code ?? CommandExit.failed;
    },

    stop() {
      isStopping = true;
      for (const child of running) child.signal('SIGTERM', 'group');
    },

    kill() {
      for (const child of running) child.signal('SIGKILL', 'everything');
    },
  };
}

/** What still holds a pipe when the whole family is dead belongs to nobody we know. */
const LEFTOVER_MS = 100;
const LONGEST_LAST_LINE = 500;

function beside(run: RunPlan, argv: readonly string[], source: LaunchSource): Resolved {
  if (argv.length === 0) {
    throw new Failure('cannot run nothing: the command is empty', { exitCode: CommandExit.usage });
  }
  return { ...resolveLaunch({ ...run, work: { kind: 'command', argv } }, source), assignment: undefined };
}

function toReadable(pipe: OutputPipe): Readable {
  const stream = new PassThrough();
  pipe.read(
    (chunk) => {
      // The pipe's memory is used again as soon as we return.
      if (stream.writable && !stream.write(Buffer.from(chunk))) {
        pipe.pause();
        stream.once('drain', () => pipe.resume());
      }
    },
    () => stream.end(),
  );
  return stream;
}

/** The last line a probe wrote, on either stream; resolves when both have ended. */
async function keepLastLine(child: SpawnedProcess): Promise<string | undefined> {
  let tail = '';
  const read = (pipe: OutputPipe): Promise<void> =>
    new Promise((resolve) => {
      pipe.read((chunk) => {
        tail = (tail + chunk.toString('utf8')).slice(-LONGEST_LAST_LINE * 2);
      }, resolve);
    });
  await Promise.all([read(child.stdout), read(child.stderr)]);
  const line = tail.trimEnd().split('\n').at(-1)?.slice(-LONGEST_LAST_LINE);
  return line === '' ? undefined : line;
}
