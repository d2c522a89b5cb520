/** What each of our own programs is told: what it works with, and no secret that is none of its business. */
import type { AlertsPlan } from '../config/plan-alerts.ts';
import type { JobsPlan } from '../config/plan-jobs.ts';
import type { ProgramName } from '../config/plan-runs.ts';
import type { Assignment } from '../protocol/channel.ts';
import { appPassword } from './late-values.ts';
import type { LaunchSource } from './launch-source.ts';

export function assign(
  program: ProgramName,
  source: LaunchSource,
  input: Readonly<Record<string, string>>,
): Assignment {
  const { dataDir, runDir, isolated } = source;
  const common = { program, dataDir, runDir, isolated };
  if (program === 'api') return { ...common, ...ofApi(source) };
  if (program === 'command') return { ...common, ...ofCommand(source), input };
  const password = appPassword(source);
  return {
    ...common,
    database: source.database,
    backups: source.backups,
    ...(source.jobs === undefined ? {} : ofQueue(program, source.jobs)),
    secrets: {
      ...(password === undefined ? {} : { appPassword: password }),
      ...queuePassword(program, source),
      ...(program === 'cluster' ? bundlePassphrase(source) : {}),
    },
    input,
  };
}

/** It asks PID 1 for everything, and knows no database. */
function ofApi(source: LaunchSource): Omit<Assignment, 'program' | 'dataDir' | 'runDir' | 'isolated'> {
  const { alerts, api, jobs, runDir } = source;
  const token = source.token();
  return {
    database: undefined,
    backups: undefined,
    ...(jobs === undefined ? {} : { jobs: { ...jobs, redisUrl: undefined } }),
    ...(api === undefined
      ? {}
      : { api: { ...api, tokens: api.tokens.map((one) => ({ ...one, token: '' })) } }),
    ...(alerts === undefined ? {} : { alerts: withoutSecrets(alerts) }),
    secrets: { ...(token === undefined ? {} : { token }), ...tokensOf(api), ...sinkSecrets(alerts) },
    input: { operateSocket: operateSocket(runDir) },
  };
}

/** It reads the plan as we do, so it has our environment; what else it needs to know it asks on the control socket. */
function ofCommand(source: LaunchSource): Pick<Assignment, 'database' | 'backups' | 'secrets' | 'command'> {
  const command = { argv: [], env: source.commandEnvironment(), timeout: undefined };
  return { database: undefined, backups: undefined, secrets: {}, command };
}

function withoutSecrets(alerts: AlertsPlan): AlertsPlan {
  return {
    ...alerts,
    sinks: alerts.sinks.map(({ run: _ofPid1, ...sink }) => ({ ...sink, url: '', secret: undefined })),
  };
}

function tokensOf(api: LaunchSource['api']): Record<string, string> {
  return Object.fromEntries((api?.tokens ?? []).map(({ name, token }) => [`api.tokens.${name}`, token]));
}

function sinkSecrets(alerts: AlertsPlan | undefined): Record<string, string> {
  const pairs = (alerts?.sinks ?? []).flatMap(({ name, url, secret }): [string, string][] => [
    ...(url === '' ? [] : [[`alerts.${name}.url`, url] as [string, string]]),
    ...(secret === undefined ? [] : [[`alerts.${name}.secret`, secret] as [string, string]]),
  ]);
  return Object.fromEntries(pairs);
}

/** Where the API asks PID 1. */
export function operateSocket(runDir: string): string {
  return `${runDir}/api/operate.sock`;
}

function ofQueue(program: ProgramName, jobs: JobsPlan): Pick<Assignment, 'jobs'> {
  if (program === 'worker') return { jobs };
  return program === 'setup' ? { jobs: { ...jobs, redisUrl: undefined } } : {};
}

/** Of the role that owns the queue in our own cluster: made here, because nobody else may write among the secrets. */
function queuePassword(program: ProgramName, source: LaunchSource): { readonly jobsPassword?: string } {
  const { database, jobs } = source;
  if (program !== 'worker' && program !== 'setup') return {};
  if (jobs?.store !== 'postgres' || database === undefined || database.external) return {};
  return { jobsPassword: source.ensureSecret('jobs_password') };
}

/** Only where a bundle is looked for. */
function bundlePassphrase({ inherited, readFile }: LaunchSource): Readonly<Record<string, string>> {
  const { BUNDLE_PASSPHRASE: said, BUNDLE_PASSPHRASE_FILE: file } = inherited;
  if (said) return { bundlePassphrase: said };
  if (!file) return {};
  try {
    const text = readFile(file)?.replace(/\r?\n$/, '');
    if (text) return { bundlePassphrase: text };
  } catch {
    // Told below as well.
  }
  // Where no bundle waits, it must not keep anybody from starting; where one does, the program refuses it.
  return { noBundlePassphrase: file };
}
