/** The one door from text to plan. After it nobody checks again: what is wrong is told here, all of it at once. */

import { posix } from 'node:path';
import { buildBackups } from './backup-words.ts';
import { type BuildContext, buildDraft, type Draft, warnRootRuns } from './build-run.ts';
import { readDatabaseMode } from './database-mode.ts';
import { buildDatabase, buildDatabaseRuns, DATABASE_RUNS } from './database-runs.ts';
import { type DatabaseUrl, parseDatabaseUrl } from './database-url.ts';
import { settleDependencies } from './dependencies.ts';
import { nameServer } from './external-url.ts';
import { warnUnknownVariables } from './known-variables.ts';
import { joinFiles, type LoadedFiles, type Loader, loadFiles } from './load-files.ts';
import type { Located } from './located.ts';
import type { Plan, SchedulePlan } from './plan.ts';
import { type PlanStanza, planShape } from './plan-words.ts';
import { Problems } from './problems.ts';
import { type Provenance, traceOrigins } from './provenance.ts';
import { expandReplicas, INSTANCE_NAMES } from './replicas.ts';
import { buildSchedule } from './schedule-words.ts';
import { type Flags, readSettings, type Settings } from './settings.ts';
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
  const { plan, tree, beaten } = settled;
  const origins = traceOrigins(tree);
  for (const [path, by] of beaten) {
    origins.set(path, { file: undefined, line: undefined, uses: [], ...origins.get(path), beatenBy: by });
  }
  if (plan.token !== undefined) secrets.add(plan.token);
  if (plan.database?.password !== undefined) secrets.add(plan.database.password);
  if (plan.backups?.offsite) {
    secrets.add(plan.backups.offsite.accessKeyId);
    secrets.add(plan.backups.offsite.secretAccessKey);
  }
  if (plan.database?.external) secrets.add(plan.database.external.url);
  return {
    plan,
    warnings,
    provenance: { origins, secrets, files: files.trees.map(({ place }) => place.file.path) },
  };
}

interface Settled {
  readonly plan: Plan;
  readonly tree: MapValue;
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
  };
  const name = read.name ?? 'bulkhead';
  const database = buildDatabasePart(read, tree, name, url, settings, request, context);
  const drafts = [...(database?.drafts ?? []), ...buildServices(read, tree, context)];
  const hasDatabase = database !== undefined;
  const tierOf = (service: string): string | undefined =>
    findServiceTier(service, tier, files.folder, request.readFile);
  const off = readSwitches(drafts, { tier, hasDatabase, variables, problems, tierOf });
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
  refuseOrphanedUrl(drafts, off, problems);
  warnRootRuns(drafts, context);
  const withDatabase = database !== undefined && !off.has('database');
  if (read.backups && !database) {
    problems.warn(
      keyPlaceAt(tree, 'backups'),
      'idle-word',
      '"backups" has no effect: the plan has no database',
    );
  }
  const plan: Plan = {
    name,
    tier,
    ...settings,
    database: withDatabase ? database.plan : undefined,
    backups: withDatabase
      ? buildBackups(read.backups, { planName: name, dataDir: settings.dataDir, problems })
      : undefined,
    runs,
    jobs: undefined,
    attempts: [],
    api: undefined,
    schedules: buildSchedules(read, tree, context),
    disabled: [...absentRuns(database?.plan, off), ...[...off].map(([run, why]) => ({ name: run, why }))],
  };
  return { plan, tree, beaten: listBeaten(plan, request, variables, url) };
}

/** What a database of somebody else makes needless. */
function absentRuns(
  database: Plan['database'],
  off: ReadonlyMap<string, string>,
): readonly { readonly name: string; readonly why: string }[] {
  if (database?.external === undefined || off.has('database')) return [];
  return [{ name: 'cluster', why: `the database is at ${nameServer(database.external)} (DATABASE_URL)` }];
}

type GoodUrl = Exclude<DatabaseUrl, { readonly kind: 'invalid' }>;

/** Decides which late values there are, before any variable is filled in. */
function readDatabaseUrl(files: LoadedFiles, variables: Variables, problems: Problems): GoodUrl | undefined {
  if (variables.value('NEXTAUTH_SECRET') === undefined) variables.makeLate('NEXTAUTH_SECRET');
  const stanza = files.trees.map((tree) => tree.entries.get('database')).find((entry) => entry !== undefined);
  if (!stanza || stanza.value.tag === 'reset') return undefined;
  const given = variables.value('DATABASE_URL');
  const url = given === undefined ? undefined : parseDatabaseUrl(given);
  const at = { outside: 'environment', source: 'DATABASE_URL=…' };
  if (url?.kind === 'invalid') {
    return problems.error(at, 'wrong-value', `DATABASE_URL cannot be read: ${url.why}`);
  }
  if (url?.kind === 'external') return url;
  // An address that leaves something open is completed at start, like one that is not given at all.
  const complete = url?.user && url.password && url.name && url.port;
  if (!complete) variables.makeLate('DATABASE_URL');
  return url;
}

function buildDatabasePart(
  read: PlanStanza,
  tree: MapValue,
  planName: string,
  url: GoodUrl | undefined,
  settings: Settings,
  request: PlanRequest,
  context: BuildContext,
): { plan: NonNullable<Plan['database']>; drafts: readonly Draft[] } | undefined {
  if (!read.database) return undefined;
  const key = keyPlaceAt(tree, 'database');
  const mode = readDatabaseMode(read.database, url, context);
  const port = url?.kind === 'external' ? (url.server.hosts[0]?.port ?? 0) : settings.ports.database;
  const full = { ...context, planName, port, runDir: request.runDir, url, mode, key };
  const plan = buildDatabase(read.database, full);
  return { plan, drafts: buildDatabaseRuns(read.database, plan, full) };
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

function buildSchedules(read: PlanStanza, tree: MapValue, context: BuildContext): SchedulePlan[] {
  return [...(read.schedules ?? [])].flatMap(([name, stanza]) => {
    const key = keyPlaceAt(tree, 'schedules', name);
    const taken = read.services?.has(name) || (read.database && DATABASE_RUNS.some((run) => run === name));
    if (taken) {
      // They share logs and events by name.
      context.problems.error(key, 'reserved-name', `a schedule cannot be called "${name}": a service is`, {
        suggestion: 'choose another name',
      });
      return [];
    }
    return buildSchedule(name, stanza, key, context) ?? [];
  });
}

/** A hole for DATABASE_URL that nobody will fill, because the database is switched off. */
function refuseOrphanedUrl(
  drafts: readonly Draft[],
  off: ReadonlyMap<string, string>,
  problems: Problems,
): void {
  if (!off.has('database')) return;
  for (const { run, at, key } of drafts) {
    if (off.has(run.name) || !JSON.stringify(run).includes('{"late":"DATABASE_URL"}')) continue;
    const place = at.kind === 'map' ? (at.entries.get('environment')?.keyPlace ?? key) : key;
    problems.error(
      place,
      'late-value',
      `${run.name} needs DATABASE_URL, but the database is ${off.get('database')}`,
      {
        suggestion: `switch ${run.name} off as well, or leave the database on`,
      },
    );
  }
}

/** What flags and variables settled, by the path they beat. */
function listBeaten(
  plan: Plan,
  { flags }: PlanRequest,
  variables: Variables,
  url: GoodUrl | undefined,
): Map<string, string> {
  const beaten = new Map<string, string>();
  const note = (path: string, variable: string, flag?: string): void => {
    if (flag !== undefined) beaten.set(path, flag);
    else if (variables.value(variable) !== undefined) beaten.set(path, variable);
  };
  note('tier', 'BULKHEAD_TIER', flags.tier === undefined ? undefined : '--tier');
  note('data', 'BULKHEAD_DATA', flags.data === undefined ? undefined : '--data');
  note('stop_timeout', 'BULKHEAD_STOP_TIMEOUT');
  note('log.level', 'LOG_LEVEL');
  note('log.format', 'LOG_FORMAT');
  note('ports.probes', 'BULKHEAD_PORT');
  note('ports.api', 'BULKHEAD_API_PORT');
  note('database.port', 'BULKHEAD_DB_PORT');
  if (plan.token !== undefined) beaten.set('token', 'BULKHEAD_TOKEN');
  note('database.mode', 'BULKHEAD_DATABASE_MODE');
  for (const word of ['name', 'user', 'password'] as const) {
    if (url?.[word] !== undefined) beaten.set(`database.${word}`, 'DATABASE_URL');
  }
  if (url?.kind === 'external') beaten.set('database.host', 'DATABASE_URL');
  else if (url?.port !== undefined) beaten.set('database.port', 'DATABASE_URL');
  return beaten;
}
