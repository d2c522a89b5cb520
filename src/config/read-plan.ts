/** The one door from text to plan. After it nobody checks again: what is wrong is told here, all of it at once. */

import { posix } from 'node:path';
import { buildAlerts } from './alert-words.ts';
import { buildBackups } from './backup-words.ts';
import { listBeaten } from './beaten.ts';
import { type BuildContext, buildDraft, type Draft, type Machine, warnRootRuns } from './build-run.ts';
import { absentRuns, buildDatabasePart, readDatabaseUrl, refuseOrphanedUrl } from './database-part.ts';
import { DATABASE_RUNS } from './database-runs.ts';
import { settleDependencies } from './dependencies.ts';
import { buildJobsPart, isQueueAlone, refuseLostQueue, refuseWeakToken } from './jobs-part.ts';
import { warnUnknownVariables } from './known-variables.ts';
import { joinFiles, type LoadedFiles, type Loader, loadFiles } from './load-files.ts';
import type { Located } from './located.ts';
import { buildLogs } from './log-words.ts';
import type { Plan } from './plan.ts';
import { type PlanStanza, planShape } from './plan-words.ts';
import { Problems } from './problems.ts';
import { type Origin, type Provenance, traceOrigins } from './provenance.ts';
import { expandReplicas, INSTANCE_NAMES } from './replicas.ts';
import { buildSchedules } from './schedules-part.ts';
import { type Flags, readSettings } from './settings.ts';
import { readSwitches } from './switches.ts';
import { findServiceTier } from './tier-of.ts';
import { keyPlaceAt, type MapValue, valueAt } from './tree.ts';
import { Variables } from './variables.ts';

export interface PlanRequest {
  /** What the command line says; it beats the variables. */
  readonly flags: Flags;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file; undefined where it is missing, unreadable or a folder. */
  readFile(path: string): string | undefined;
  /** We are root, so runs can have users of their own. */
  readonly root: boolean;
  /** Absolute; PostgreSQL's sockets are in `<runDir>/pg`. */
  readonly runDir: string;
  /** What a relative --config or BULKHEAD_CONFIG counts from. Default /. */
  readonly cwd?: string;
  /** Where plans are when nobody says so. Default /etc/bulkhead. */
  readonly defaultConfig?: string;
  /** How many of a service a person asked for at run time; beats `deploy.replicas` of those that have it. */
  readonly replicas?: Readonly<Record<string, number>>;
  /** Asked only where the plan wants to fit it. Default: there is room for one of each. */
  readonly machine?: () => Machine;
}

export type PlanReading =
  | {
      readonly plan: Plan;
      readonly warnings: readonly Located[];
      readonly provenance: Provenance;
      readonly problems?: undefined;
    }
  | {
      readonly problems: readonly Located[];
      readonly warnings: readonly Located[];
      readonly plan?: undefined;
    };

/** Reads the plan of a tier, or every problem of it; problems and warnings are sorted by place. */
export function readPlan(request: PlanRequest): PlanReading {
  const { flags, env, readFile } = request;
  const secrets = new Set<string>();
  const problems = new Problems(secrets);
  const variables = new Variables({ env, readFile, problems, secrets });
  const loader: Loader = { readFile, problems, variables };
  const tier = flags.tier ?? variables.value('BULKHEAD_TIER') ?? 'core';
  const config =
    flags.config ?? variables.value('BULKHEAD_CONFIG') ?? request.defaultConfig ?? '/etc/bulkhead';
  for (const name of INSTANCE_NAMES) variables.makeLate(name);
  variables.define('BULKHEAD_TIER', tier);
  variables.define('BULKHEAD_DATA', flags.data ?? variables.value('BULKHEAD_DATA') ?? '/data');

  const files = loadFiles(posix.resolve(request.cwd ?? '/', config), tier, loader);
  const settled = files && settlePlan(request, files, tier, loader);
  warnUnknownVariables(env, variables.asked, problems);
  const warnings = problems.sorted('warning');
  if (!settled || problems.failed) return { problems: problems.sorted('error'), warnings };
  const { plan, origins, beaten } = settled;
  for (const [path, by] of beaten) {
    origins.set(path, { file: undefined, line: undefined, uses: [], ...origins.get(path), beatenBy: by });
  }
  if (plan.token !== undefined) secrets.add(plan.token);
  if (plan.database?.password !== undefined) secrets.add(plan.database.password);
  if (plan.backups?.offsite) {
    secrets.add(plan.backups.offsite.accessKeyId);
    secrets.add(plan.backups.offsite.secretAccessKey);
  }
  for (const { url, secret } of plan.alerts?.sinks ?? []) {
    if (url !== '') secrets.add(url);
    if (secret !== undefined) secrets.add(secret);
  }
  for (const { token } of plan.api?.tokens ?? []) secrets.add(token);
  if (plan.jobs?.redisUrl !== undefined) secrets.add(plan.jobs.redisUrl);
  if (plan.database?.external) secrets.add(plan.database.external.url);
  return {
    plan,
    warnings,
    provenance: { origins, secrets, files: files.trees.map(({ place }) => place.file.path) },
  };
}

interface Settled {
  readonly plan: Plan;
  readonly origins: Map<string, Origin>;
  readonly beaten: ReadonlyMap<string, string>;
}

function settlePlan(
  request: PlanRequest,
  files: LoadedFiles,
  tier: string,
  loader: Loader,
): Settled | undefined {
  const { problems, variables } = loader;
  const url = readDatabaseUrl(files, variables, problems);
  const joined = joinFiles(files, loader);
  const { tree, replicaOf } = joined
    ? expandReplicas(joined, request.replicas ?? {}, problems)
    : { tree: undefined, replicaOf: new Map<string, string>() };
  const read = tree && planShape.read(tree, '', { problems, variables });
  if (!tree || !read) return undefined;
  const urlPort = url?.kind === 'ours' ? url.port : undefined;
  const settings = readSettings(read, urlPort, { flags: request.flags, variables, problems });
  const context: BuildContext = {
    problems,
    variables,
    stopTimeout: settings.stopTimeout,
    root: request.root,
    replicaOf,
    machine: request.machine ?? (() => ({ memory: 0, cpus: 0 })),
  };
  const name = read.name ?? 'bulkhead';
  const database = buildDatabasePart(read, tree, name, url, settings, request.runDir, context);
  const hasDatabase = database !== undefined;
  const queue = buildJobsPart(read, tree, {
    ...context,
    database: database?.plan,
    planName: name,
    apiPort: settings.ports.api,
    mainToken: settings.token,
    dataDir: settings.dataDir,
  });
  const drafts = [...(database?.drafts ?? []), ...buildServices(read, tree, context), ...queue.drafts];
  const tierOf = (service: string): string | undefined =>
    findServiceTier(service, tier, files.folder, request.readFile);
  const schedules = [...(read.schedules?.keys() ?? [])];
  const off = readSwitches(drafts, { tier, hasDatabase, schedules, variables, problems, tierOf });
  const runs = settleDependencies(drafts, { hasDatabase, off, problems, tierOf });
  if (drafts.length === 0) {
    const broken = valueAt(tree, 'services')?.kind === 'map' && problems.failed;
    if (!broken)
      problems.error(keyPlaceAt(tree, 'services'), 'empty-plan', 'the plan runs nothing', {
        suggestion: 'add a service: services: { app: { command: […] } }',
      });
  } else if (runs.length === 0) {
    problems.error({ outside: 'environment' }, 'empty-plan', 'every service of the plan is switched off', {
      suggestion: 'look at BULKHEAD_ONLY and BULKHEAD_DISABLE',
    });
  }
  const commands = off.has('worker') ? [] : queue.commands;
  refuseOrphanedUrl([...drafts, ...commands], off, problems);
  if (queue.api && !off.has('api')) refuseWeakToken(settings.token, problems);
  refuseLostQueue(queue.jobs, database?.plan, off, keyPlaceAt(tree, 'jobs'), problems);
  warnRootRuns([...drafts, ...queue.commands], context);
  const withDatabase = database !== undefined && !off.has('database');
  if (read.backups && !database) {
    problems.warn(
      keyPlaceAt(tree, 'backups'),
      'idle-word',
      '"backups" has no effect: the plan has no database',
    );
  }
  const built = buildSchedules(read, tree, { jobs: queue.jobs, database: database?.plan, off }, context);
  const plan: Plan = {
    name,
    tier,
    ...settings,
    logs: buildLogs(read.logs, problems),
    database: withDatabase || isQueueAlone(queue.jobs, database?.plan, off) ? database?.plan : undefined,
    backups: withDatabase
      ? buildBackups(read.backups, { planName: name, dataDir: settings.dataDir, problems })
      : undefined,
    runs,
    jobs: queue.jobs,
    attempts: queue.attempts,
    api: off.has('api') ? undefined : queue.api,
    alerts: off.has('api') ? undefined : buildAlerts(name, read.alerts, tree, built, context),
    schedules: built,
    disabled: [...absentRuns(database?.plan, off), ...[...off].map(([run, why]) => ({ name: run, why }))],
  };
  const origins = traceOrigins(tree);
  return { plan, origins, beaten: listBeaten(plan, request.flags, variables, url, origins) };
}

function buildServices(read: PlanStanza, tree: MapValue, context: BuildContext): Draft[] {
  const drafts: Draft[] = [];
  for (const [name, stanza] of read.services ?? []) {
    const key = keyPlaceAt(tree, 'services', name);
    if (read.database && DATABASE_RUNS.some((one) => one === (context.replicaOf.get(name) ?? name))) {
      context.problems.error(
        key,
        'reserved-name',
        `a service cannot be called "${name}": database: brings one of this name`,
        {
          suggestion:
            name === 'migrate'
              ? 'write it as database: { migrate: … }, or choose another name'
              : 'choose another name',
        },
      );
      continue;
    }
    const draft = buildDraft(name, stanza, key, context);
    if (draft) drafts.push(draft);
  }
  return drafts;
}
