/** The real world a run is resolved in. */
import type { Plan } from '../config/plan.ts';
import type { PlanRequest } from '../config/read-plan.ts';
import { watchOomKills } from '../system/cgroup.ts';
import { giveFolder, readTextIfExists } from '../system/files.ts';
import { createMemoryGroups } from '../system/memory-groups.ts';
import { ownProgram } from '../system/own-program.ts';
import { readOwnOomScore } from '../system/priority.ts';
import { ensureSecretFile } from '../system/secret-file.ts';
import { currentIdentity, findIdentity } from '../system/users.ts';
import { SecretFolder, secretsOfEnvironment } from './known-secrets.ts';
import type { LaunchSource } from './resolve-launch.ts';

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
