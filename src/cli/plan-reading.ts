import { Failure } from '../base/errors.ts';
import { formatProblems } from '../config/format-problems.ts';
import type { Located } from '../config/located.ts';
import { type PlanReading, readPlan } from '../config/read-plan.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { RUN_DIR } from '../protocol/socket-path.ts';
import { readMachine } from '../system/cgroup.ts';
import { exists, readTextIfExists } from '../system/files.ts';
import type { Context } from './command.ts';
import { findDataDir, localData } from './place.ts';

export type GoodReading = Extract<PlanReading, { readonly problems?: undefined }>;

/** Reads the plan as `up` would, from here: flags, variables, files. `tier` beats the flag. */
export function readPlanHere({ given, io }: Context, tier = given.value('tier')): PlanReading {
  const { env, cwd, uid } = io;
  const data = given.value('data');
  const local = env.BULKHEAD_DATA ? undefined : localData(cwd);
  return readPlan({
    flags: {
      tier,
      config: given.value('config'),
      data: data === undefined ? undefined : findDataDir({ env, cwd, data }),
    },
    // What `npm start` says to the supervisor it becomes.
    env: local === undefined ? env : { ...env, BULKHEAD_DATA: local },
    readFile,
    root: uid === 0,
    runDir: RUN_DIR,
    machine: readMachine,
    cwd,
    defaultConfig: defaultConfig(cwd),
  });
}

/** The plan, or a Failure with every problem of it as its text. Warnings are remarked on standard error. */
export function requirePlan(context: Context, tier?: string): GoodReading {
  const reading = readPlanHere(context, tier);
  if (reading.problems !== undefined) throw invalidConfiguration(reading.problems);
  if (reading.warnings.length > 0 && !context.json)
    context.remark(formatProblems(reading.warnings, { color: false }));
  return reading;
}

function invalidConfiguration(problems: readonly Located[]): Failure {
  return new Failure(`cannot use this configuration:\n${formatProblems(problems, { color: false })}`, {
    code: 'invalid-configuration',
    exitCode: CommandExit.invalidConfiguration,
    remedy: 'mend what is marked, then: bulkhead config check',
  });
}

/** A folder, or a file that is closed to us, is none. */
function readFile(path: string): string | undefined {
  try {
    return readTextIfExists(path);
  } catch {
    return undefined;
  }
}

/** In the image /etc/bulkhead; in a checkout its own folder. */
export function defaultConfig(cwd: string): string {
  const local = `${cwd}/config`;
  return !exists('/etc/bulkhead') && exists(`${local}/core.yaml`) ? local : '/etc/bulkhead';
}
