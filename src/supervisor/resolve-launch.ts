/** From a run of the plan to what the OS is asked to spawn. Done anew at every start; throws a Failure saying why not. */

import { Failure, messageOf } from '../base/errors.ts';
import type { LaunchPlan } from '../config/plan-jobs.ts';
import type { Confinement, ProgramName } from '../config/plan-runs.ts';
import type { Text } from '../config/plan-text.ts';
import type { Assignment } from '../protocol/channel.ts';
import { assign } from './assign.ts';
import { resolveEnvironment } from './environment.ts';
import { fillText } from './late-values.ts';
import type { LaunchSource } from './launch-source.ts';
import type { User } from './user.ts';

export interface Privileges {
  /** Capabilities it keeps, without CAP_; `all`: what we have. */
  readonly capabilities: readonly string[] | 'all';
  readonly unconfined: boolean;
}

export interface Resolved {
  readonly argv: readonly string[];
  readonly env: Record<string, string>;
  readonly cwd: string;
  /** undefined: the user we are. */
  readonly user: User | undefined;
  /** What its stanza asks for. */
  readonly oomScoreAdj: number | undefined;
  /** What it gets where its stanza says nothing. */
  readonly usualOomScore: number;
  /** undefined: 022. */
  readonly umask: number | undefined;
  readonly ulimits: Confinement['ulimits'] | undefined;
  readonly privileges: Privileges;
  /** The first line on fd 3, for our own programs. */
  readonly assignment: Assignment | undefined;
}

export function resolveLaunch(
  run: LaunchPlan,
  source: LaunchSource,
  input: Readonly<Record<string, string>> = {},
): Resolved {
  const resolved = resolve(run, source, input);
  source.learnSecrets?.(resolved.env, Object.values(resolved.assignment?.secrets ?? {}));
  return resolved;
}

function resolve(run: LaunchPlan, source: LaunchSource, input: Readonly<Record<string, string>>): Resolved {
  const user = source.isolated && run.user !== undefined ? source.findUser(run.user) : undefined;
  for (const folder of run.folders ?? []) giveFolder(folder, user, source);
  const common = {
    env: resolveEnvironment(run, user ?? source.currentUser(), source),
    cwd: run.workingDir ?? '/',
    user,
    oomScoreAdj: run.oomScoreAdj,
    usualOomScore: usualOomScore(run, source.oomScoreAdj),
    umask: run.confinement?.umask,
    ulimits: run.confinement?.ulimits,
    privileges: privilegesOf(run),
  };
  if (run.work.kind === 'program') {
    const { program } = run.work;
    const own = OWN_FOLDERS[program];
    if (own !== undefined) giveOwnFolder(own, user, source);
    const { env, argv } = ownProgram(program, common.env, source);
    return { ...common, env, argv, assignment: assign(program, source, input) };
  }
  const argv = fillArgv(run.work.argv, source);
  const { through } = run.work;
  if (through === undefined) return { ...common, argv, assignment: undefined };
  const { program, timeout } = through;
  const command = { argv, env: common.env, timeout };
  const assignment = { ...assign(program, source, input), command };
  return { ...common, ...ownProgram(program, common.env, source), assignment };
}

/** Where jobs are kept while their store is away; where the API keeps who changed what. */
const OWN_FOLDERS: Partial<Record<ProgramName, string>> = { worker: 'jobs', api: 'console' };

/** Where it cannot be made the program says what that means, and works. */
function giveOwnFolder(name: string, user: User | undefined, source: LaunchSource): void {
  try {
    source.giveFolder(`${source.dataDir}/bulkhead/${name}`, user);
  } catch {
    // A disk that is full, or cannot be written.
  }
}

function giveFolder(path: string, user: User | undefined, source: LaunchSource): void {
  try {
    source.giveFolder(path, user);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    const { uid } = user ?? source.currentUser();
    throw new Failure(`cannot make the folder ${path}: ${messageOf(cause)}`, {
      remedy: `make it yourself, writable for uid ${uid}, or correct folders`,
      cause,
    });
  }
}

function ownProgram(
  program: ProgramName,
  resolved: Record<string, string>,
  source: LaunchSource,
): { readonly env: Record<string, string>; readonly argv: readonly string[] } {
  // Meant for the application: what it loads or limits has no place in the tools of the database.
  const { NODE_OPTIONS: _ofTheApp, ...env } = resolved;
  const postgresBin = source.inherited.BULKHEAD_POSTGRES_BIN;
  return {
    // Which PostgreSQL is meant is asked by our programs alone.
    env: { ...env, ...(postgresBin === undefined ? {} : { BULKHEAD_POSTGRES_BIN: postgresBin }) },
    argv: source.programArgv(program),
  };
}

/**
 * When memory ends, jobs go first, then our programs about them, the applications before the database, and that before
 * us. Counted from our own score, for an orchestrator may have raised that, and lowering needs a right that containers
 * do not have.
 */
function usualOomScore(run: LaunchPlan, ours: number): number {
  return Math.min(1000, ours + oomScoreAbove(run));
}

function oomScoreAbove({ kind, work }: LaunchPlan): number {
  if (kind === 'attempt') return 400;
  if (work.kind === 'command') return 200;
  return work.program === 'worker' || work.program === 'api' ? 300 : 100;
}

/** Rights are for those who are told to have them, and for our own program that gives the volume to its users. */
function privilegesOf(run: LaunchPlan): Privileges {
  const isOurs = run.work.kind === 'program' && run.user === undefined && !run.confinement;
  return {
    capabilities: isOurs ? 'all' : (run.confinement?.capabilities ?? []),
    unconfined: run.confinement?.privileged ?? false,
  };
}

function fillArgv(argv: readonly Text[], source: LaunchSource): string[] {
  return argv.map((text) => fillText(text, source));
}
