/** The real world a run is resolved in. */
import type { BackupsPlan, Plan } from '../config/plan.ts';
import type { AlertsPlan } from '../config/plan-alerts.ts';
import type { ApiPlan, JobsPlan } from '../config/plan-jobs.ts';
import type { ProgramName } from '../config/plan-runs.ts';
import type { PlanRequest } from '../config/read-plan.ts';
import { watchOomKills } from '../system/cgroup.ts';
import { giveFolder, readTextIfExists } from '../system/files.ts';
import { createMemoryGroups } from '../system/memory-groups.ts';
import { ownProgram } from '../system/own-program.ts';
import { readOwnOomScore } from '../system/priority.ts';
import { ensureSecretFile } from '../system/secret-file.ts';
import { currentIdentity, findIdentity } from '../system/users.ts';
import type { EnvironmentSource } from './environment.ts';
import { SecretFolder, secretsOfEnvironment } from './known-secrets.ts';
import type { User } from './user.ts';

export interface LaunchSource extends EnvironmentSource {
  readonly dataDir: string;
  readonly runDir: string;
  readonly backups: BackupsPlan | undefined;
  readonly jobs: JobsPlan | undefined;
  readonly alerts?: AlertsPlan | undefined;
  readonly api: (ApiPlan & { readonly port: number }) | undefined;
  /** In which a command finds the plan and the volume that we found. */
  commandEnvironment(): Readonly<Record<string, string>>;
  /** What opens the ports that need one. */
  token(): string | undefined;
  /** Our own oom_score_adj. */
  readonly oomScoreAdj: number;
  /** We are root: each service has its own user. Otherwise all run as the one user we are. */
  readonly isolated: boolean;
  /** Whether a death by SIGKILL that was not ours was the kernel's, for want of memory. */
  claimOomKill(): boolean;
  /** A group that the kernel holds to so many bytes; undefined: this system lets us make none. */
  openMemoryGroup(
    name: string,
    limit: number,
  ): { readonly procs: string; oomKills(): number; remove(): void } | undefined;
  /** Makes it where it is missing, and hands it over. */
  giveFolder(path: string, owner: User | undefined): void;
  currentUser(): User;
  /** Throws a Failure where there is no such user. */
  findUser(name: string): User;
  /** Called with the whole environment of each run before it starts, and with what else it is told in secret. */
  learnSecrets?(env: Readonly<Record<string, string>>, secrets: readonly string[]): void;
  /** argv of one of our own programs. */
  programArgv(program: ProgramName): readonly string[];
}

/**
 * @param plan the plan in force: a reload may have changed it since the last start
 * @param token what opens the ports that need one
 * @param learn told every secret that a run is given, before it starts
 */
export function createLaunchSource(
  plan: () => Plan,
  request: PlanRequest,
  token: () => string | undefined,
  learn: (secrets: readonly string[]) => void = () => undefined,
): LaunchSource {
  const memoryGroups = createMemoryGroups();
  const pathOf = (secret: string): string => `${plan().dataDir}/secrets/${secret}`;
  const folder = new SecretFolder(`${plan().dataDir}/secrets`, readTextIfExists);
  learn(secretsOfEnvironment(request.env, readTextIfExists));
  return {
    learnSecrets: (env, secrets) =>
      learn([...secretsOfEnvironment(env, readTextIfExists), ...secrets, ...folder.look()]),
    get database() {
      return plan().database;
    },
    get backups() {
      return plan().backups;
    },
    get jobs() {
      return plan().jobs;
    },
    get alerts() {
      return plan().alerts;
    },
    get api() {
      const { api, ports } = plan();
      return api && { ...api, port: ports.api };
    },
    commandEnvironment: () => commandEnvironment(request, plan().dataDir),
    token,
    get dataDir() {
      return plan().dataDir;
    },
    runDir: request.runDir,
    oomScoreAdj: readOwnOomScore(),
    isolated: request.root,
    inherited: request.env,
    readFile: readTextIfExists,
    readSecret: (name) => readTextIfExists(pathOf(name))?.trim(),
    ensureSecret: (name) => ensureSecretFile(pathOf(name)),
    claimOomKill: watchOomKills(),
    openMemoryGroup: (name, limit) => memoryGroups.open(name, limit),
    giveFolder,
    currentUser: currentIdentity,
    findUser: findIdentity,
    programArgv: (program) => ownProgram(program),
  };
}

/** Flags beat variables, so they become some. */
function commandEnvironment({ env, flags }: PlanRequest, dataDir: string): Record<string, string> {
  const said: Record<string, string | undefined> = {
    ...env,
    BULKHEAD_DATA: dataDir,
    ...(flags.tier === undefined ? {} : { BULKHEAD_TIER: flags.tier }),
    ...(flags.config === undefined ? {} : { BULKHEAD_CONFIG: flags.config }),
  };
  return Object.fromEntries(
    Object.entries(said).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}
