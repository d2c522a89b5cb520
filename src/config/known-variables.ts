/** Variables of Bulkhead's own; any other BULKHEAD_* is most likely a slip. */
import { suggestWord } from '../base/suggest.ts';
import type { Problems } from './problems.ts';

export const BULKHEAD_VARIABLES = {
  BULKHEAD_TIER: 'the tier to run: core, scraper or full',
  BULKHEAD_CONFIG: 'the folder of the tiers, or one file',
  BULKHEAD_DATA: 'the volume',
  BULKHEAD_PORT: 'port of the probes',
  BULKHEAD_API_PORT: 'port of the API',
  BULKHEAD_DB_PORT: 'port of PostgreSQL',
  BULKHEAD_DB_LISTEN: 'addresses PostgreSQL listens on besides the loopback, *: all; for development',
  BULKHEAD_DATABASE_MODE:
    'embedded or external: where the database must be; said, a volume may change from one to the other',
  BULKHEAD_ENABLE: 'services to switch on, by comma',
  BULKHEAD_DISABLE: 'services to switch off, by comma; beats the rest',
  BULKHEAD_ONLY: 'the only services to run, by comma',
  BULKHEAD_TOKEN: 'opens the API and the details of /health; left out, one is made into /data/secrets/token',
  BULKHEAD_TOKEN_FILE: 'file with the token',
  BULKHEAD_STOP_TIMEOUT: 'total time of a stop',
  BULKHEAD_REQUIRE_VOLUME: '1: refuse to start without a mounted volume',
  BULKHEAD_NODE_OPTIONS: 'NODE_OPTIONS of the services, moved aside from PID 1',
  BULKHEAD_APP_DIR: 'folder of the application',
  BULKHEAD_APP_USER: 'system user of the application, when root',
  BULKHEAD_SCRAPER_DIR: 'folder of the scraper, in tier scraper',
  BULKHEAD_SCRAPER_USER: 'system user of the scraper, when root',
  BULKHEAD_POSTGRES_USER: 'system user of PostgreSQL, when root',
  BULKHEAD_POSTGRES_BIN:
    'folder of the PostgreSQL programs, instead of the newest found; embedded: the one from npm',
  BULKHEAD_SERVICE: 'set by Bulkhead on every process it starts',
  BULKHEAD_INSTANCE: 'in a service: the number of this replica, from 1; set by Bulkhead',
  BULKHEAD_INSTANCE_PORT: 'in a service: its port plus its number, less one; set by Bulkhead',
  BULKHEAD_JOB_ID: 'in an attempt of a job: its id, the same in every attempt; set by Bulkhead',
  BULKHEAD_JOB_TYPE: 'in an attempt of a job: its type; set by Bulkhead',
  BULKHEAD_JOB_ATTEMPT: 'in an attempt of a job: its number, from 1; set by Bulkhead',
  BULKHEAD_COMMAND: 'how people call the command line here, for the advice it gives: npx bulkhead',
  BULKHEAD_SAMPLE: 'the sample dump of the shipped application',
} as const;

/**
 * Kubernetes injects variables for every Service of the namespace: one called `bulkhead` gives BULKHEAD_PORT=tcp://…
 * and BULKHEAD_SERVICE_HOST. They were not meant for us.
 */
export function isInjectedByKubernetes(name: string, value: string): boolean {
  return (
    /^(tcp|udp|sctp):\/\//i.test(value) ||
    /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(name)
  );
}

/** Warns about every BULKHEAD_* nobody knows. `asked`: names the plan itself reads. */
export function warnUnknownVariables(
  env: Readonly<Record<string, string | undefined>>,
  asked: ReadonlySet<string>,
  problems: Problems,
): void {
  const known = Object.keys(BULKHEAD_VARIABLES);
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('BULKHEAD_') || value === undefined || known.includes(name)) continue;
    if (asked.has(name) || asked.has(name.replace(/_FILE$/, '')) || isInjectedByKubernetes(name, value))
      continue;
    const meant = suggestWord(name, known);
    problems.warn({ outside: 'environment', source: name }, 'unknown-variable', `nothing reads ${name}`, {
      suggestion: meant === undefined ? undefined : `did you mean ${meant}?`,
    });
  }
}
