/** What a service sees: what its stanza declares, its env files, and a safe base; never our own environment. */
import { parseEnv } from 'node:util';
import { Failure } from '../base/errors.ts';
import type { RunBase } from '../config/plan-runs.ts';
import { fillText, type LateValueSource } from './late-values.ts';

export interface EnvironmentSource extends LateValueSource {
  /** Our own environment, from which only the safe base is taken. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** The text of a file, or undefined where it does not exist. */
  readFile(path: string): string | undefined;
}

export interface Home {
  readonly name: string;
  readonly home: string;
}

const PASSED_ON = ['PATH', 'LANG', 'LC_ALL', 'TZ', 'NODE_ENV', 'NODE_EXTRA_CA_CERTS'];
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The environment of one start. Files are read again each time, so that a changed or removed key counts from the
 * next start on; `environment` beats `env_file`, as in Compose.
 */
export function resolveEnvironment(
  run: Pick<RunBase, 'environment' | 'envFiles'>,
  user: Home,
  source: EnvironmentSource,
): Record<string, string> {
  const environment: Record<string, string> = { PATH: DEFAULT_PATH };
  for (const name of PASSED_ON) {
    const value = source.inherited[name];
    if (value !== undefined) environment[name] = value;
  }
  // NODE_OPTIONS is meant for the app; in PID 1 it was moved aside before it could load anything.
  const nodeOptions = source.inherited.BULKHEAD_NODE_OPTIONS ?? source.inherited.NODE_OPTIONS;
  if (nodeOptions !== undefined) environment.NODE_OPTIONS = nodeOptions;
  environment.HOME = user.home;
  environment.USER = user.name;
  environment.LOGNAME = user.name;
  for (const { path, required } of run.envFiles)
    Object.assign(environment, readEnvFile(path, required, source));
  for (const [name, text] of Object.entries(run.environment)) environment[name] = fillText(text, source);
  return environment;
}

function readEnvFile(path: string, required: boolean, source: EnvironmentSource): NodeJS.Dict<string> {
  const text = source.readFile(path);
  if (text !== undefined) return parseEnv(text);
  if (!required) return {};
  throw new Failure(`cannot read env_file ${path}: no such file`, {
    remedy: 'create it, or write { path: …, required: false }',
  });
}
