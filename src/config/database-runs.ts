/** `database:` becomes the boot order: task cluster → service database → task setup → task migrate. */
import { posix } from 'node:path';
import { DEFAULT_RESTART } from './build-restart.ts';
import { type BuildContext, type Draft, KILL_WAIT, resolveEnvFiles } from './build-run.ts';
import type { OwnDatabaseUrl } from './database-url.ts';
import { externalDatabaseRun, throughOurs } from './external-runs.ts';
import type { ExternalUrl } from './external-url.ts';
import type { Place } from './located.ts';
import type { DatabaseMode, DatabasePlan } from './plan.ts';
import type { Dependency, RunBase, RunPlan, StopLadder } from './plan-runs.ts';
import type { DatabaseStanza, MigrateStanza } from './plan-words.ts';
import { isDatabaseName } from './scalars.ts';
import type { Value } from './tree.ts';
import { placeOfWord } from './words.ts';

/** Names of the boot order; with a `database` they belong to it. */
export const DATABASE_RUNS = ['cluster', 'database', 'setup', 'migrate'] as const;

/** Our own word (UpExit.cannotStart) for settings the server cannot start with; PostgreSQL itself never ends so. */
const CANNOT_START = 13;

/** What a migration calls itself to the server, as far as its client listens. */
export const MIGRATION_NAME = 'bulkhead-migrate';

const DONE: Dependency = { condition: 'service_completed_successfully', required: true };
const HEALTHY: Dependency = { condition: 'service_healthy', required: true };

export interface DatabaseContext extends BuildContext {
  readonly planName: string;
  readonly port: number;
  /** Folder of the sockets. */
  readonly runDir: string;
  readonly url: OwnDatabaseUrl | Extract<ExternalUrl, { kind: 'external' }> | undefined;
  readonly mode: DatabaseMode | undefined;
  readonly key: Place;
}

export function buildDatabase(read: DatabaseStanza, context: DatabaseContext): DatabasePlan {
  const { url, port, planName, mode } = context;
  const fallback = planName.replaceAll('-', '_');
  const usable = isDatabaseName(fallback) && !RESERVED.test(fallback);
  const name = url?.name ?? read.name ?? (usable ? fallback : 'app');
  const user = url?.user ?? read.user ?? name;
  if (url?.kind !== 'external') {
    refuseReserved('name', name, read, context);
    refuseReserved('user', user, read, context);
  } else if (read.settings !== undefined && read.settings.size > 0) {
    context.problems.warn(
      placeOfWord(read.at, 'settings'),
      'idle-word',
      'database.settings has no effect: the server of DATABASE_URL is not ours to set up',
    );
  }
  return {
    ...(url?.kind === 'external' ? { external: url.server } : {}),
    ...(mode === undefined ? {} : { mode }),
    name,
    user,
    password: url?.kind === 'external' ? url.password : (url?.password ?? read.password),
    port,
    ...(read.listen === undefined || url?.kind === 'external' ? {} : { listen: read.listen }),
    systemUser: read.system_user ?? 'postgres',
    importFrom: read.import?.from,
    ...(read.import?.mode === 'replace' && { importMode: 'replace' }),
    ...(read.import?.trusted && { importTrusted: true }),
    ...(read.import?.trust_incomplete && { importTrustsIncomplete: true }),
    ...(read.extensions !== undefined && { extensions: read.extensions }),
    ...(read.migrate?.command && {
      migration: {
        argv: read.migrate.command,
        workingDir: read.migrate.working_dir,
        safetyDump: read.migrate.safety_dump ?? true,
      },
    }),
    sample: read.sample,
    init: resolveInit(read),
    settings: Object.fromEntries(read.settings ?? []),
    ...(url?.kind === 'ours' && url.query !== undefined ? { urlQuery: url.query } : {}),
  };
}

/** Names PostgreSQL keeps for itself, and our own superuser. */
const RESERVED = /^(postgres|template[01]|bulkhead|pg_.*)$/;

function refuseReserved(
  word: 'name' | 'user',
  given: string,
  read: DatabaseStanza,
  context: DatabaseContext,
): void {
  if (!RESERVED.test(given)) return;
  const entry = read.at.kind === 'map' ? read.at.entries.get(word) : undefined;
  const at =
    context.url?.[word] === given
      ? { outside: 'environment', source: 'DATABASE_URL=…' }
      : (entry?.value.place ?? context.key);
  context.problems.error(
    at,
    'bad-name',
    `the ${word === 'user' ? 'role' : 'database'} of the application cannot be called "${given}": PostgreSQL or Bulkhead uses the name itself`,
    { suggestion: `choose another, e.g. ${word}: app` },
  );
}

export function buildDatabaseRuns(
  read: DatabaseStanza,
  plan: DatabasePlan,
  context: DatabaseContext,
): Draft[] {
  const { stopTimeout } = context;
  const base = (name: string, dependsOn: Record<string, Dependency>, user: string | undefined): RunBase => ({
    name,
    work: { kind: 'command', argv: [] },
    workingDir: undefined,
    user,
    environment: {},
    envFiles: [],
    dependsOn,
    stop: taskStop(),
    critical: true,
    nice: undefined,
    oomScoreAdj: undefined,
    startTimeout: undefined,
  });
  const cluster: RunPlan = {
    ...base('cluster', {}, undefined),
    kind: 'task',
    retries: 0,
    work: { kind: 'program', program: 'cluster' },
  };
  const database: RunPlan = {
    ...base('database', { cluster: DONE }, plan.systemUser),
    kind: 'service',
    work: { kind: 'program', program: 'database' },
    stop: databaseStop(read.stop_grace_period, stopTimeout),
    ready: undefined,
    healthcheck: {
      probe: { kind: 'postgres', host: posix.join(context.runDir, 'pg'), port: plan.port },
      interval: 10_000,
      timeout: 5000,
      retries: 3,
      // Crash recovery answers "starting up"; a large cluster may replay for a long time before it serves.
      startPeriod: 3_600_000,
      startInterval: 50,
    },
    restart: DEFAULT_RESTART,
    onUnhealthy: 'restart',
    exitCodes: { success: [], fatal: [CANNOT_START] },
  };
  const setup: RunPlan = {
    ...base('setup', { database: HEALTHY }, plan.systemUser),
    kind: 'task',
    retries: 0,
    work: { kind: 'program', program: 'setup' },
  };
  const { external } = plan;
  const first = external
    ? [externalDatabaseRun({ ...base('database', {}, undefined) }, external)]
    : [cluster, database];
  const drafts = [...first, setup].map((run) => ({
    run,
    profiles: [],
    at: read.at,
    key: context.key,
  }));
  const migrate =
    read.migrate &&
    buildMigrate(read.migrate, base('migrate', { database: HEALTHY, setup: DONE }, undefined), read.at);
  if (!migrate) return drafts;
  return [...drafts, external ? { ...migrate, run: throughOurs(migrate.run) } : migrate];
}

function buildMigrate(read: MigrateStanza, base: RunBase, parent: Value): Draft | undefined {
  // A missing or broken command was told by the words themselves.
  if (!read.command) return undefined;
  const run: RunPlan = {
    ...base,
    kind: 'task',
    work: { kind: 'command', argv: read.command },
    workingDir: read.working_dir,
    user: read.user,
    ...(read.folders?.length ? { folders: read.folders } : {}),
    // Migrators look for DATABASE_URL, and a plan that says nothing about it means ours.
    environment: {
      // By which its sessions are known in pg_stat_activity.
      PGAPPNAME: MIGRATION_NAME,
      DATABASE_URL: { parts: [{ late: 'DATABASE_URL' }] },
      ...Object.fromEntries(read.environment ?? []),
    },
    envFiles: resolveEnvFiles(read.env_file ?? []),
    startTimeout: read.timeout || undefined,
    retries: read.retries ?? 0,
  };
  return { run, profiles: [], at: read.at, key: placeOfWord(parent, 'migrate') };
}

/** What `database: service_healthy` means to everybody else: imported and migrated. */
export function expandDatabaseDependency(
  dependency: Dependency,
  runs: ReadonlySet<string>,
): Record<string, Dependency> {
  const { required } = dependency;
  if (dependency.condition !== 'service_healthy') return { database: dependency };
  return {
    database: { ...HEALTHY, required },
    setup: { ...DONE, required },
    ...(runs.has('migrate') ? { migrate: { ...DONE, required } } : {}),
  };
}

/** SIGTERM would wait for clients for ever; SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one. */
function databaseStop(grace: number | undefined, stopTimeout: number): StopLadder {
  return {
    rungs: [
      { signal: 'SIGINT', wait: grace ?? Math.max(stopTimeout / 2, stopTimeout - 2000) },
      { signal: 'SIGQUIT', wait: 1000 },
      { signal: 'SIGKILL', wait: KILL_WAIT },
    ],
    target: 'leader',
    reserve: Math.round((stopTimeout * 4) / 9),
  };
}

function taskStop(): StopLadder {
  return {
    rungs: [
      { signal: 'SIGTERM', wait: 5000 },
      { signal: 'SIGKILL', wait: KILL_WAIT },
    ],
    target: 'leader-then-group',
    reserve: 0,
  };
}

function resolveInit(read: DatabaseStanza): readonly string[] {
  const list: Value | undefined = read.at.kind === 'map' ? read.at.entries.get('init')?.value : undefined;
  const items = list?.kind === 'list' ? list.items : [];
  return (read.init ?? []).map((path, index) => {
    const file = items[index]?.place.file.path ?? read.at.place.file.path;
    return posix.resolve(posix.dirname(posix.resolve('/', file)), path);
  });
}
