/** `queue:`, `jobs:` and `api:` become what the worker is told, how attempts are started, and the runs worker and api. */
import type { ApiStanza, MetricsStanza } from './api-words.ts';
import type { BuildContext, Draft } from './build-run.ts';
import { DATABASE_RUNS } from './database-runs.ts';
import { apiDraft, workerDraft } from './job-runs.ts';
import { buildJob } from './job-words.ts';
import type { Place } from './located.ts';
import type { DatabasePlan } from './plan.ts';
import type { ApiPlan, ApiTokenPlan, AttemptPlan, JobsPlan, JobTypePlan } from './plan-jobs.ts';
import type { PlanStanza } from './plan-words.ts';
import type { QueueStanza } from './queue-words.ts';
import { faultOfToken, MAIN_TOKEN } from './roles.ts';
import { keyPlaceAt, type MapValue } from './tree.ts';
import { placeOfWord } from './words.ts';

/** Runs that the plan makes of the jobs; their names are taken where there are jobs, or an API. */
const JOB_RUNS = ['worker', 'api'] as const;

/** What stands at the place of a type in addresses of the API: `/jobs/status`. */
const API_WORDS: readonly string[] = ['status', 'redrive', 'pause', 'resume'];

export interface JobsPart {
  readonly jobs: JobsPlan | undefined;
  readonly attempts: readonly AttemptPlan[];
  readonly api: ApiPlan | undefined;
  /** The runs worker and api. */
  readonly drafts: readonly Draft[];
  /** Of the types, for what is said of all commands. */
  readonly commands: readonly Draft[];
}

export interface JobsContext extends BuildContext {
  /** As keys may be called: `my-shop`. */
  readonly planName: string;
  /** The one of the plan, whether it is on or not. */
  readonly database: DatabasePlan | undefined;
  readonly apiPort: number;
  /** Of BULKHEAD_TOKEN; undefined: one is made when it is needed. */
  readonly mainToken: string | undefined;
  /** Absolute. */
  readonly dataDir: string;
}

export function buildJobsPart(read: PlanStanza, tree: MapValue, context: JobsContext): JobsPart {
  const { problems } = context;
  const built = buildTypes(read, tree, context);
  const hasJobs = (read.jobs?.size ?? 0) > 0;
  if (read.queue && !hasJobs) {
    problems.warn(keyPlaceAt(tree, 'queue'), 'idle-word', '"queue" has no effect: the plan has no jobs');
  }
  const jobs = hasJobs ? buildQueue(read.queue, built, keyPlaceAt(tree, 'jobs'), context) : undefined;
  const hasAlerts = read.alerts !== undefined && read.alerts.enabled !== false;
  const api =
    hasJobs || hasAlerts || read.api?.enabled ? buildApi(read.api, read.metrics, context) : undefined;
  const apiOff = read.api?.enabled === false ? 'api.enabled is false' : undefined;
  const drafts = [
    ...(jobs ? [workerDraft(jobs, context, { at: read.at, key: keyPlaceAt(tree, 'jobs') })] : []),
    ...(api
      ? [apiDraft(api, context, hasAlerts, apiOff, { at: read.at, key: keyPlaceAt(tree, 'api') })]
      : []),
  ];
  refuseNames(read, tree, drafts, context);
  return {
    jobs,
    attempts: built.map(({ attempt }) => attempt),
    api,
    drafts,
    commands: built.map(({ draft }) => draft),
  };
}

type Built = NonNullable<ReturnType<typeof buildJob>>;

function buildTypes(read: PlanStanza, tree: MapValue, context: JobsContext): readonly Built[] {
  return [...(read.jobs ?? [])].flatMap(([name, stanza]) => {
    const key = keyPlaceAt(tree, 'jobs', name);
    const isService = read.services?.has(name) || JOB_RUNS.some((run) => run === name);
    const ofDatabase = read.database !== undefined && DATABASE_RUNS.some((run) => run === name);
    if (isService || ofDatabase) {
      // They share logs and events by name.
      return (
        context.problems.error(key, 'reserved-name', `a job cannot be called "${name}": a service is`, {
          suggestion: 'choose another name',
        }) ?? []
      );
    }
    if (API_WORDS.includes(name)) {
      context.problems.error(
        key,
        'reserved-name',
        `a job cannot be called "${name}": /jobs/${name} of the API is another thing`,
        {
          suggestion: 'choose another name',
        },
      );
    }
    const built = buildJob(name, stanza, key, context);
    if (built?.type.requires.includes('database') && context.database === undefined) {
      context.problems.error(
        placeOfWord(stanza.at, 'requires'),
        'wrong-value',
        `jobs.${name} requires a database, and the plan has none`,
        { suggestion: 'drop requires, or add a database: to the plan' },
      );
    }
    return built && stanza.enabled !== false ? [built] : [];
  });
}

/** The API shows and changes everything: what opens it must be hard to guess, and fit into a header. */
export function refuseWeakToken(token: string | undefined, problems: BuildContext['problems']): void {
  if (token === undefined) return;
  const fault = faultOfToken(token);
  if (fault === undefined) return;
  problems.error(
    { outside: 'environment', source: 'BULKHEAD_TOKEN=…' },
    'weak-token',
    `BULKHEAD_TOKEN ${fault}`,
    {
      suggestion:
        'make one with: openssl rand -base64 32; or unset it, and one is generated into /data/secrets/token',
    },
  );
}

function refuseNames(
  read: PlanStanza,
  tree: MapValue,
  drafts: readonly Draft[],
  { problems, replicaOf }: JobsContext,
): void {
  for (const name of read.services?.keys() ?? []) {
    if (!drafts.some(({ run }) => run.name === (replicaOf.get(name) ?? name))) continue;
    problems.error(
      keyPlaceAt(tree, 'services', name),
      'reserved-name',
      `a service cannot be called "${name}": jobs: brings one of this name`,
      { suggestion: 'choose another name' },
    );
  }
}

function buildQueue(
  read: QueueStanza | undefined,
  built: readonly Built[],
  key: Place,
  context: JobsContext,
): JobsPlan {
  const types: readonly JobTypePlan[] = built.map(({ type }) => type);
  const redisUrl = read?.redis_url ?? readRedisUrl(context);
  const store = chooseStore(read, redisUrl, key, context);
  if (read?.require_durable && store === 'memory') {
    context.problems.error(
      placeOfWord(read.at, 'require_durable'),
      'wrong-value',
      'queue.require_durable needs a store that is durable, and there is only memory',
      { suggestion: 'add a database: to the plan, set REDIS_URL, or drop require_durable' },
    );
  }
  if (store === 'redis' && read?.prefix === undefined && context.database === undefined) {
    context.problems.warn(
      read ? placeOfWord(read.at, 'prefix') : key,
      'shared-prefix',
      `jobs are kept in Redis under ${defaultPrefix(context)}, and without a database nothing tells another product of this name from this one`,
      { suggestion: 'write queue: { prefix: NAME }, the same in all containers of this product' },
    );
  }
  const stopWithin = Math.max(0, context.stopTimeout * OTHERS_SHARE - TO_PUT_BACK);
  const longest = Math.max(0, stopWithin - TO_STOP);
  const drain = read?.drain ?? 5000;
  if (read?.drain !== undefined && drain > longest) {
    context.problems.warn(
      placeOfWord(read.at, 'drain'),
      'longer-than-stop',
      `queue.drain is cut to ${Math.round(longest)}ms: the whole stop has ${context.stopTimeout}ms, and the database has its part of that`,
      { suggestion: 'raise BULKHEAD_STOP_TIMEOUT, and the patience of Docker or the pod with it' },
    );
  }
  return {
    types,
    store,
    redisUrl: store === 'redis' ? redisUrl : undefined,
    prefix: read?.prefix ?? defaultPrefix(context),
    prefixIsDefault: read?.prefix === undefined,
    requireDurable: read?.require_durable ?? false,
    concurrency: read?.concurrency ?? types.reduce((sum, { concurrency }) => sum + concurrency, 0),
    maxWaiting: read?.max_waiting ?? 100_000,
    keep: {
      completed: read?.keep?.completed ?? 7 * DAY,
      failed: read?.keep?.failed ?? 30 * DAY,
      most: read?.keep?.most ?? 10_000,
    },
    drain: Math.min(drain, longest),
    stopWithin,
    user: read?.user ?? 'api',
  };
}

function defaultPrefix({ planName }: Pick<JobsContext, 'planName'>): string {
  return planName === 'bulkhead' ? planName : `bulkhead-${planName}`;
}

const DAY = 86_400_000;
/** Of the whole stop, what is left for all that stops before the database. */
const OTHERS_SHARE = 0.4;
/** The worker's own, to put back in the store what did not finish; ms. */
const TO_PUT_BACK = 1000;
/** What an attempt has between its stop signal and SIGKILL even where time is short; ms. */
const TO_STOP = 1500;

/** A plan need not name it: whoever sets REDIS_URL means it. */
function readRedisUrl({ variables, problems }: JobsContext): string | undefined {
  const url = variables.value('REDIS_URL');
  if (url === undefined || /^rediss?:\/\/[^/]/.test(url)) return url;
  return problems.error(
    { outside: 'environment', source: 'REDIS_URL=…' },
    'wrong-value',
    'REDIS_URL must be the address of a Redis: redis://HOST:6379',
  );
}

function chooseStore(
  read: QueueStanza | undefined,
  redisUrl: string | undefined,
  key: Place,
  { problems, database }: JobsContext,
): JobsPlan['store'] {
  const asked = read?.store ?? 'auto';
  const at = read ? placeOfWord(read.at, 'store') : key;
  if (asked === 'redis' && redisUrl === undefined) {
    problems.error(at, 'missing-word', 'queue.store is redis, and nothing says where one is', {
      suggestion: 'set REDIS_URL, or write redis_url',
    });
  }
  if (asked === 'postgres' && database === undefined) {
    problems.error(at, 'missing-word', 'queue.store is postgres, and the plan has no database', {
      suggestion: 'add a database: to the plan, or write store: auto',
    });
  }
  if (asked !== 'auto') return asked;
  if (redisUrl !== undefined) return 'redis';
  return database === undefined ? 'memory' : 'postgres';
}

/** A queue in memory instead would look the same and lose jobs, so nobody slips into it. */
export function refuseLostQueue(
  jobs: JobsPlan | undefined,
  database: DatabasePlan | undefined,
  off: ReadonlyMap<string, string>,
  key: Place,
  problems: BuildContext['problems'],
): void {
  const why = off.get('database');
  if (jobs?.store !== 'postgres' || why === undefined || off.has('worker') || database?.external) return;
  problems.error(key, 'queue-off', `jobs are kept in the database, which is off: ${why}`, {
    suggestion:
      'set DATABASE_URL to the database that is shared, set REDIS_URL, or write queue: { store: memory }',
  });
}

/** A container that only works on jobs: the database is somebody else's, and only its queue is used here. */
export function isQueueAlone(
  jobs: JobsPlan | undefined,
  database: DatabasePlan | undefined,
  off: ReadonlyMap<string, string>,
): boolean {
  return jobs !== undefined && database?.external !== undefined && !off.has('worker');
}

function buildTokens(
  read: ApiStanza | undefined,
  { problems, mainToken }: JobsContext,
): readonly ApiTokenPlan[] {
  const found: ApiTokenPlan[] = [];
  for (const [name, { role, token, at }] of read?.tokens ?? []) {
    // An empty variable is a token that nobody has.
    if (role === undefined || token === undefined || token === '') continue;
    const place = placeOfWord(at, 'token');
    const fault = faultOfToken(token);
    if (fault !== undefined) {
      problems.error(place, 'weak-token', `api.tokens.${name}.token ${fault}`, {
        suggestion: 'make one with: openssl rand -base64 32',
      });
    }
    if (name === MAIN_TOKEN) {
      problems.error(place, 'reserved-name', `a token cannot be called "${name}": BULKHEAD_TOKEN is`, {
        suggestion: 'choose another name',
      });
    }
    if (token === mainToken) {
      // It would open everything, whatever its role says.
      problems.error(place, 'wrong-value', `api.tokens.${name} is the same as BULKHEAD_TOKEN, an admin's`, {
        suggestion: 'give each its own: openssl rand -base64 32',
      });
    }
    const twin = found.find((other) => other.token === token);
    if (twin !== undefined) {
      problems.error(place, 'wrong-value', `api.tokens.${name} is the same as api.tokens.${twin.name}`, {
        suggestion: 'give each its own: openssl rand -base64 32',
      });
    }
    found.push({ name, role, token });
  }
  return found;
}

function buildApi(
  read: ApiStanza | undefined,
  metrics: MetricsStanza | undefined,
  context: JobsContext,
): ApiPlan {
  return {
    host: read?.host ?? '0.0.0.0',
    allowedHosts: read?.allowed_hosts ?? [],
    readOnly: read?.read_only ?? false,
    tokens: buildTokens(read, context),
    metrics: (metrics?.enabled ?? true) ? { app: metrics?.app } : undefined,
    user: read?.user ?? 'api',
  };
}
