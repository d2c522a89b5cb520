/**
 * Our programs without a supervisor: the same locks, plan, users and run folder as `up`, but nothing is supervised. For
 * what must work when `up` refuses, as a restore after the loss of the cluster. Nobody else can start meanwhile.
 */
import { resolve as resolvePath } from 'node:path';
import { codeOf, Failure } from '../base/errors.ts';
import { formatProblems } from '../config/format-problems.ts';
import type { ProgramName } from '../config/plan-runs.ts';
import { type PlanRequest, readPlan } from '../config/read-plan.ts';
import type { Report } from '../protocol/channel.ts';
import { CommandExit, UpExit } from '../protocol/exit-codes.ts';
import { readMachine } from '../system/cgroup.ts';
import { ownerOf, readTextIfExists } from '../system/files.ts';
import type { OutputPipe } from '../system/output-pipe.ts';
import { spawnProcess } from '../system/process.ts';
import { startReaper } from '../system/reaper.ts';
import { findIdentity } from '../system/users.ts';
import { lockData, requireVolume } from './data-folder.ts';
import { rememberOwners } from './former-owners.ts';
import { createLaunchSource } from './launch-source.ts';
import { spawnOptions } from './launcher.ts';
import { resolveLaunch } from './resolve-launch.ts';
import { takeRunFolder } from './run-folder.ts';

export interface AloneOptions {
  readonly tier: string | undefined;
  readonly config: string | undefined;
  /** Where plans are when nobody says so. */
  readonly defaultConfig: string;
  readonly data: string | undefined;
  /** What the programs write to their logs. */
  readonly onOutput: (bytes: Buffer) => void;
}

export interface AloneSession {
  readonly dataDir: string;
  /** Runs one of our programs with the rights of the task `cluster`; resolves with its exit code. An abort ends it. */
  run(
    program: ProgramName,
    input: Readonly<Record<string, string>>,
    onReport: (report: Report) => void,
    signal: AbortSignal,
  ): Promise<number>;
  close(): void;
}

/** Throws a Failure where the plan cannot be used, or somebody uses the volume. */
export function openAlone(options: AloneOptions): AloneSession {
  const { env } = process;
  const dataDir = resolvePath(options.data ?? (env.BULKHEAD_DATA || '/data'));
  const uid = process.geteuid?.() ?? 0;
  const runFolder = refuseAsCommand(() => takeRunFolder(dataDir, uid));
  try {
    const request: PlanRequest = {
      flags: { tier: options.tier, config: options.config, data: dataDir },
      env,
      readFile: readIfReadable,
      root: uid === 0,
      cwd: process.cwd(),
      runDir: runFolder.path,
      machine: readMachine,
      defaultConfig: options.defaultConfig,
    };
    const { plan } = requirePlan(request);
    const cluster = plan.runs.find(({ name }) => name === 'cluster');
    if (plan.database === undefined || cluster === undefined) {
      throw new Failure('cannot work on the database: the plan has none', { exitCode: CommandExit.refused });
    }
    if (env.BULKHEAD_REQUIRE_VOLUME === '1') requireVolume(plan.dataDir);
    if (uid === 0) refuseMappedUser(plan.dataDir, plan.database.systemUser);
    refuseAsCommand(() => lockData(plan.dataDir, true));
    const reaper = startReaper();
    const source = createLaunchSource(
      () => plan,
      request,
      () => plan.token,
    );
    let count = 0;
    return {
      dataDir: plan.dataDir,
      run: async (program, input, onReport, signal) => {
        count += 1;
        const resolved = resolveLaunch({ ...cluster, work: { kind: 'program', program } }, source, input);
        const putBack = uid === 0 ? rememberOwners(plan.dataDir) : undefined;
        const code = await runChild(`${program}:${count}`, resolved, { ...options, onReport, signal });
        if (code !== CommandExit.ok) putBack?.();
        return code;
      },
      close: () => {
        reaper.stop();
        runFolder.leave();
      },
    };
  } catch (error) {
    runFolder.leave();
    throw error;
  }
}

/**
 * PostgreSQL refuses root, so a cluster of root's was made by one user of a namespace, whom `npm start` maps to root.
 * Outside of it we would become somebody else, give the volume to him, and the next `npm start` could not use it.
 */
function refuseMappedUser(dataDir: string, systemUser: string): void {
  // The dot looks behind the link.
  if (ownerOf(`${dataDir}/pg/current/.`) !== 0) return;
  const user = findIdentity(systemUser);
  const words = process.argv.slice(2).map((word) => (/^[\w./:@=-]+$/.test(word) ? word : `'${word}'`));
  throw new Failure(
    `cannot work on ${dataDir} as root: its cluster belongs to root, as one that \`npm start\` has made in a user namespace`,
    {
      remedy: `do it as that one user: unshare --user --map-user=${user.uid} --map-group=${user.gid} -- bulkhead ${words.join(' ')}; or while \`npm start\` runs`,
      exitCode: CommandExit.refused,
    },
  );
}

function runChild(
  tag: string,
  resolved: ReturnType<typeof resolveLaunch>,
  {
    onOutput,
    onReport,
    signal,
  }: {
    readonly onOutput: (bytes: Buffer) => void;
    readonly onReport: (report: Report) => void;
    readonly signal: AbortSignal;
  },
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  let code: number | null = null;
  const child = spawnProcess(spawnOptions({ nice: undefined }, tag, resolved), {
    failed: reject,
    ready: () => undefined,
    // The other end is this very program: the shape is that of protocol/channel.ts.
    message: (line) => onReport(JSON.parse(line) as Report),
    exited: (exit) => {
      code = exit.code;
    },
    emptied: () => {
      signal.removeEventListener('abort', end);
      for (const pipe of pipes) pipe.closeWithin(LEFTOVER_MS);
      void Promise.all(drained).then(() => resolve(code ?? CommandExit.failed));
    },
  });
  const end = (): void => void child?.signal('SIGTERM', 'leader');
  const pipes: readonly OutputPipe[] = child === undefined ? [] : [child.stdout, child.stderr];
  const drained = pipes.map(
    (pipe) =>
      new Promise<void>((done) => {
        pipe.read((chunk) => onOutput(Buffer.from(chunk)), done);
      }),
  );
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  child?.send(JSON.stringify(resolved.assignment));
  return promise;
}

/** What still holds a pipe when the whole family is dead belongs to nobody we know. */
const LEFTOVER_MS = 100;

function requirePlan(
  request: PlanRequest,
): Extract<ReturnType<typeof readPlan>, { readonly problems?: undefined }> {
  const reading = readPlan(request);
  if (reading.problems === undefined) return reading;
  throw new Failure(`cannot use this configuration:\n${formatProblems(reading.problems, { color: false })}`, {
    exitCode: CommandExit.invalidConfiguration,
    remedy: 'mend what is marked, then: bulkhead config check',
  });
}

/** Commands end with codes of their own. */
function refuseAsCommand<T>(take: () => T): T {
  try {
    return take();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const inUse = error.exitCode === UpExit.dataInUse;
    const remedy = inUse
      ? 'ask that supervisor: name its volume with --data, or run this inside of its container (docker exec)'
      : error.remedy;
    throw new Failure(error.message, {
      code: codeOf(error) ?? 'refused',
      exitCode: inUse ? CommandExit.refused : CommandExit.failed,
      ...(remedy === undefined ? {} : { remedy }),
      cause: error,
    });
  }
}

function readIfReadable(path: string): string | undefined {
  try {
    return readTextIfExists(path);
  } catch {
    return undefined;
  }
}
