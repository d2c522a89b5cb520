/** What flags, variables and the top of the plan settle together: flags beat variables beat files. */
import { posix } from 'node:path';
import { parseDuration } from '../base/duration.ts';
import { suggestWord } from '../base/suggest.ts';
import { isInjectedByKubernetes } from './known-variables.ts';
import type { LogLevel, Plan } from './plan.ts';
import { LOG_FORMATS, LOG_LEVELS, type PlanStanza } from './plan-words.ts';
import type { Problems } from './problems.ts';
import type { Variables } from './variables.ts';

export interface Flags {
  readonly tier?: string | undefined;
  readonly config?: string | undefined;
  readonly data?: string | undefined;
}

export interface SettingsSource {
  readonly flags: Flags;
  readonly variables: Variables;
  readonly problems: Problems;
}

export type Settings = Pick<Plan, 'dataDir' | 'stopTimeout' | 'log' | 'token'> & {
  readonly ports: { readonly probes: number; readonly api: number; readonly database: number };
};

/** `urlPort`: of a DATABASE_URL that means our own cluster. */
export function readSettings(
  plan: PlanStanza,
  urlPort: number | undefined,
  source: SettingsSource,
): Settings {
  const { flags, variables, problems } = source;
  const databasePort = readPort('BULKHEAD_DB_PORT', source);
  if (urlPort !== undefined && databasePort !== undefined && urlPort !== databasePort) {
    problems.warn(
      { outside: 'environment', source: `BULKHEAD_DB_PORT=${databasePort}` },
      'two-ports',
      `DATABASE_URL says port ${urlPort}; that beats BULKHEAD_DB_PORT`,
    );
  }
  const ports = {
    probes: readPort('BULKHEAD_PORT', source) ?? plan.ports?.probes ?? 9700,
    api: readPort('BULKHEAD_API_PORT', source) ?? plan.ports?.api ?? 9701,
    database: urlPort ?? databasePort ?? plan.database?.port ?? 5432,
  };
  refuseSamePorts(ports, problems);
  warnOfUnknownZone(source);
  return {
    dataDir: readDataDir(flags, source),
    ports,
    stopTimeout: readStopTimeout(source) ?? plan.stop_timeout ?? 9000,
    log: {
      level: readWord('LOG_LEVEL', LOG_LEVELS, source) ?? verbose(variables) ?? plan.log?.level ?? 'info',
      format: readWord('LOG_FORMAT', LOG_FORMATS, source) ?? plan.log?.format ?? 'text',
    },
    token: variables.value('BULKHEAD_TOKEN'),
  };
}

function readDataDir(flags: Flags, { variables, problems }: SettingsSource): string {
  const given = flags.data ?? variables.value('BULKHEAD_DATA') ?? '/data';
  if (!given.startsWith('/')) {
    const outside = flags.data === undefined ? 'environment' : 'command line';
    problems.error(
      { outside, source: `${flags.data === undefined ? 'BULKHEAD_DATA=' : '--data '}${given}` },
      'wrong-value',
      `the data folder must be an absolute path, not "${given}"`,
    );
  }
  return posix.resolve('/', given);
}

function verbose(variables: Variables): LogLevel | undefined {
  return /^(1|true|yes)$/i.test(variables.value('ENABLE_VERBOSE_LOGS') ?? '') ? 'debug' : undefined;
}

function readPort(name: string, { variables, problems }: SettingsSource): number | undefined {
  const text = variables.value(name);
  if (text === undefined || isInjectedByKubernetes(name, text)) return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  return problems.error(
    { outside: 'environment', source: `${name}=${text}` },
    'wrong-value',
    `${name} must be a port from 1 to 65535, not "${text}"`,
  );
}

function readStopTimeout({ variables, problems }: SettingsSource): number | undefined {
  const text = variables.value('BULKHEAD_STOP_TIMEOUT');
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  return problems.error(
    { outside: 'environment', source: `BULKHEAD_STOP_TIMEOUT=${text}` },
    'wrong-value',
    `BULKHEAD_STOP_TIMEOUT must be a duration such as 9s, not "${text}"`,
    {
      suggestion: /^\d+$/.test(text) ? `write ${text}s` : undefined,
    },
  );
}

function readWord<T extends string>(
  name: string,
  words: readonly T[],
  { variables, problems }: SettingsSource,
): T | undefined {
  const text = variables.value(name);
  const word = words.find((one) => one === text?.toLowerCase());
  if (text === undefined || word !== undefined) return word;
  const meant = suggestWord(text, words);
  // Other programs of the container may read the same variable in their own words: no reason to refuse a boot.
  problems.warn(
    { outside: 'environment', source: `${name}=${text}` },
    'wrong-value',
    `${name} is none of ${words.join(', ')}: "${text}"; the default counts`,
    {
      suggestion: meant === undefined ? undefined : `did you mean "${meant}"?`,
    },
  );
  return undefined;
}

/** Nobody refuses it: programs read it in silence as UTC, and what is due at night is due at another hour. */
function warnOfUnknownZone({ variables, problems }: SettingsSource): void {
  const zone = variables.value('TZ');
  // To ask costs a megabyte.
  if (zone === undefined || zone === 'UTC' || isZone(zone)) return;
  problems.warn(
    { outside: 'environment', source: `TZ=${zone}` },
    'wrong-value',
    `TZ is no time zone that is known: "${zone}"; schedules count in UTC`,
    { suggestion: 'write an IANA name: Europe/Berlin, UTC' },
  );
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function refuseSamePorts(ports: Settings['ports'], problems: Problems): void {
  const names = { probes: 'BULKHEAD_PORT', api: 'BULKHEAD_API_PORT', database: 'BULKHEAD_DB_PORT' };
  const seen = new Map<number, string>();
  for (const [what, port] of Object.entries(ports)) {
    const other = seen.get(port);
    if (other !== undefined) {
      problems.error(
        { outside: 'environment' },
        'same-port',
        `port ${port} is given to both ${other} and ${what}`,
        {
          suggestion: `change ${names[what as keyof typeof names]}`,
        },
      );
    }
    seen.set(port, what);
  }
}
