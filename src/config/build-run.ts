/** From the words of one stanza to the plan of one run: defaults filled in, what contradicts itself refused. */
import { posix } from 'node:path';
import { formatDuration } from '../base/duration.ts';
import { buildExitCodes, buildRestart } from './build-restart.ts';
import type { EnvFile } from './command-words.ts';
import { buildConfinement } from './confine-words.ts';
import { serviceForeign } from './foreign-words.ts';
import { buildCheck } from './healthcheck-words.ts';
import type { Place } from './located.ts';
import type { Dependency, RunBase, RunPlan, StopLadder } from './plan-runs.ts';
import type { Text } from './plan-text.ts';
import { buildReady } from './ready-words.ts';
import type { ServiceStanza } from './service-words.ts';
import type { Reading } from './shape.ts';
import type { Value } from './tree.ts';
import { placeOfWord, seemsMisspelt } from './words.ts';

/** What the container may use: bytes of memory, processors, also as a fraction. */
export interface Machine {
  readonly memory: number;
  readonly cpus: number;
}

export interface BuildContext extends Reading {
  readonly stopTimeout: number;
  /** We are root: every run should have a user of its own. */
  readonly root: boolean;
  /** The service each replica is one of. */
  readonly replicaOf: ReadonlyMap<string, string>;
  machine(): Machine;
}

/** A run with its places, before switches and dependencies are settled. */
export interface Draft {
  readonly run: RunPlan;
  readonly profiles: readonly string[];
  /** Why it is off unless somebody asks for it by name. */
  readonly off?: string;
  /** The stanza it came from. */
  readonly at: Value;
  /** Its name in the file. */
  readonly key: Place;
}

/** How long SIGKILL may take to be seen; nothing survives it but a process stuck in the kernel. */
export const KILL_WAIT = 2000;

export function buildDraft(
  name: string,
  read: ServiceStanza,
  key: Place,
  context: BuildContext,
  where = `services.${name}`,
): Draft | undefined {
  const work = buildArgv(read, where, key, context);
  if (!work) return undefined;
  const group = context.replicaOf.get(name);
  const base: RunBase = {
    name,
    ...(group === undefined ? {} : { replicaOf: group }),
    work: { kind: 'command', argv: work },
    workingDir: read.working_dir,
    user: read.user,
    ...(read.folders?.length ? { folders: read.folders } : {}),
    environment: { ...instanceEnvironment(name, group, read), ...Object.fromEntries(read.environment ?? []) },
    envFiles: resolveEnvFiles(read.env_file ?? []),
    dependsOn: buildDependencies(read),
    stop: buildStop(read, where, context),
    critical: read.critical ?? (group ?? name) === 'app',
    nice: read.nice,
    oomScoreAdj: read.oom_score_adj,
    confinement: buildConfinement(read),
    startTimeout: read.start_timeout || undefined,
    ...buildExitCodes(read, where, context),
  };
  const run =
    read.type === 'task' ? buildTask(base, read, where, context) : buildService(base, read, where, context);
  return { run, profiles: read.profiles ?? [], at: read.at, key };
}

/** What nobody has to write: which of the replicas it is, and where it listens. */
function instanceEnvironment(
  name: string,
  group: string | undefined,
  read: ServiceStanza,
): Record<string, string> {
  return {
    ...(group === undefined ? {} : { BULKHEAD_INSTANCE: name.slice(group.length + 1) }),
    ...(read.port === undefined ? {} : { PORT: String(read.port) }),
  };
}

export function resolveEnvFiles(files: readonly EnvFile[]): RunBase['envFiles'] {
  return files.map(({ path, required, at }) => ({
    path: posix.resolve(posix.dirname(posix.resolve('/', at.place.file.path)), path),
    required,
  }));
}

function buildArgv(
  read: ServiceStanza,
  where: string,
  key: Place,
  { problems }: BuildContext,
): readonly Text[] | undefined {
  const argv = [...(read.entrypoint ?? []), ...(read.command ?? [])];
  if (argv.length > 0 && argv[0] !== '') return argv;
  const entries = read.at.kind === 'map' ? read.at.entries : undefined;
  const written = entries?.get('command') ?? entries?.get('entrypoint');
  if (written ? isReported(written.value, read.command) : isElsewhere(entries?.keys() ?? []))
    return undefined;
  return problems.error(written ? written.value.place : key, 'missing-word', `${where} has no command`, {
    suggestion: 'add command: [program, argument]',
    note: 'Bulkhead knows no image whose command could be meant',
  });
}

/** What stands there was refused already; that it is missing as well is no news. */
function isReported(value: Value, read: readonly Text[] | undefined): boolean {
  return read === undefined && !(value.kind === 'scalar' && value.text === '');
}

function isElsewhere(words: Iterable<string>): boolean {
  const keys = [...words];
  return keys.includes('image') || keys.includes('build') || seemsMisspelt('command', keys, serviceForeign);
}

/** Asked once the whole plan is well: what runs as root by neglect. */
export function warnRootRuns(drafts: readonly Draft[], { problems, root }: BuildContext): void {
  if (!root || problems.failed) return;
  for (const { run, at, key } of drafts) {
    if (run.work.kind === 'program' || run.user !== undefined) continue;
    // An empty user says so on purpose.
    if (at.kind === 'map' && at.entries.has('user')) continue;
    problems.warn(key, 'runs-as-root', `${run.replicaOf ?? run.name} has no user and runs as root`, {
      suggestion: 'add user: NAME',
    });
  }
}

function buildDependencies(read: ServiceStanza): Record<string, Dependency> {
  return Object.fromEntries(
    [...(read.depends_on ?? [])].map(([name, { condition, required }]) => [
      name,
      { condition: condition ?? 'service_started', required: required ?? true },
    ]),
  );
}

function buildTask(base: RunBase, read: ServiceStanza, where: string, { problems }: BuildContext): RunPlan {
  for (const word of [
    'healthcheck',
    'ready',
    'on_unhealthy',
    'watchdog',
    'memory_restart',
    'backoff',
  ] as const) {
    if (read[word] === undefined) continue;
    problems.error(
      placeOfWord(read.at, word),
      'not-of-a-task',
      `${where} is a task: it runs once, so ${word} means nothing`,
      {
        suggestion: `drop ${word}, or drop type: task`,
      },
    );
  }
  if (read.deploy?.replicas !== undefined) {
    problems.error(
      placeOfWord(read.deploy.at, 'replicas'),
      'not-of-a-task',
      `${where} is a task: it runs once, so replicas mean nothing`,
      { suggestion: 'drop replicas, or drop type: task' },
    );
  }
  if (read.deploy?.resources?.limits?.memory !== undefined) {
    problems.warn(
      placeOfWord(read.deploy.at, 'resources'),
      'idle-word',
      `${where} is a task: its limit of memory has no effect, for it is never restarted`,
    );
  }
  if (read.restart?.policy === 'always') {
    problems.error(
      placeOfWord(read.at, 'restart'),
      'not-of-a-task',
      `${where} is a task: it runs once and is never started again`,
      {
        suggestion: 'drop restart, or write retries: COUNT for failed runs',
      },
    );
  }
  return { ...base, kind: 'task', retries: read.retries ?? read.restart?.limit ?? 0 };
}

function buildService(base: RunBase, read: ServiceStanza, where: string, context: BuildContext): RunPlan {
  const { problems } = context;
  if (read.retries !== undefined) {
    problems.error(
      placeOfWord(read.at, 'retries'),
      'not-of-a-service',
      `retries in ${where} is a word of tasks`,
      {
        suggestion: 'put it under healthcheck, or write backoff: { limit: COUNT } for restarts',
      },
    );
  }
  const healthcheck = read.healthcheck && buildCheck(read.healthcheck, `${where}.healthcheck`, context);
  if (read.on_unhealthy !== undefined && !read.healthcheck && !read.watchdog) {
    problems.warn(
      placeOfWord(read.at, 'on_unhealthy'),
      'no-healthcheck',
      `${where} has no healthcheck that could say unhealthy`,
    );
  }
  return {
    ...base,
    kind: 'service',
    ready: buildReady(read.ready, where, context),
    healthcheck,
    restart: buildRestart(read, where, context),
    onUnhealthy: read.on_unhealthy ?? 'restart',
    watchdog: read.watchdog || undefined,
    memoryRestart: read.memory_restart || undefined,
    memoryLimit: read.deploy?.resources?.limits?.memory || undefined,
  };
}

function buildStop(read: ServiceStanza, where: string, { problems, stopTimeout }: BuildContext): StopLadder {
  if (read.stop && (read.stop_signal ?? read.stop_grace_period) !== undefined) {
    const word = read.stop_signal === undefined ? 'stop_grace_period' : 'stop_signal';
    problems.error(placeOfWord(read.at, word), 'two-stops', `${where} has both stop and ${word}`, {
      suggestion: 'keep one of them',
    });
  }
  const rungs = (
    read.stop ?? [{ signal: read.stop_signal ?? 'SIGTERM', wait: read.stop_grace_period ?? 10_000 }]
  ).map(({ signal = 'SIGTERM', wait }) => ({
    signal,
    wait: wait ?? (signal === 'SIGKILL' ? KILL_WAIT : 10_000),
  }));
  if (rungs.at(-1)?.signal !== 'SIGKILL') rungs.push({ signal: 'SIGKILL', wait: KILL_WAIT });
  const early = rungs.slice(0, -1);
  if (early.some(({ signal }) => signal === 'SIGKILL')) {
    problems.error(
      placeOfWord(read.at, 'stop'),
      'wrong-value',
      `${where}.stop goes on after SIGKILL, which nothing survives`,
      { suggestion: 'make SIGKILL the last rung' },
    );
  }
  const total = early.reduce((sum, { wait }) => sum + wait, 0);
  if ((read.stop ?? read.stop_grace_period) !== undefined && total > stopTimeout) {
    problems.warn(
      placeOfWord(read.at, read.stop ? 'stop' : 'stop_grace_period'),
      'longer-than-stop',
      `${where} may take ${formatDuration(total)} to stop, but the whole stop has ${formatDuration(stopTimeout)}`,
      { suggestion: 'raise BULKHEAD_STOP_TIMEOUT, and the patience of Docker or the pod with it' },
    );
  }
  return { rungs, target: 'leader-then-group', reserve: 0 };
}
