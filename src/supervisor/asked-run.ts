/** How a program that people ask for runs beside the services. */
import type { ProgramName, RunPlan } from '../config/plan-runs.ts';

/** They read, and give back, files of every user: the application's, the secrets. */
const OF_ALL_FILES: ReadonlySet<ProgramName> = new Set<ProgramName>([
  'backup',
  'unpack-backup',
  'restore-files',
]);
const RIGHTS = ['DAC_OVERRIDE', 'CHOWN', 'FOWNER'] as const;

/**
 * A command of the command line that the API asks for: as `docker exec` runs it, as the user that we are and from where
 * we were started. What may be asked for is a short list, cli/asked-command.ts.
 */
export function commandRun(any: RunPlan, cwd: string): RunPlan {
  const { confinement: _ofAnother, ...run } = any;
  return { ...run, user: undefined, folders: [], environment: {}, envFiles: [], workingDir: cwd };
}

/**
 * As the task `setup` does: as the database's user, without rights. What works on files of all users keeps the rights
 * to read them and to give them back to their owners, where we have them to give.
 */
export function askedRun(setup: RunPlan, program: ProgramName, held: () => ReadonlySet<string>): RunPlan {
  if (!OF_ALL_FILES.has(program)) return setup;
  const all = held();
  const capabilities = RIGHTS.filter((name) => all.has(name));
  return { ...setup, confinement: { umask: undefined, ulimits: {}, capabilities, privileged: false } };
}
