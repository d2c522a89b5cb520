/** Which words of the files flags and variables beat. */
import type { GoodUrl } from './database-part.ts';
import type { Plan } from './plan.ts';
import type { Flags } from './settings.ts';
import type { Variables } from './variables.ts';

/**
 * What flags and variables settled, by the path they beat.
 * @param said What the files say, by path.
 */
export function listBeaten(
  plan: Plan,
  flags: Flags,
  variables: Variables,
  url: GoodUrl | undefined,
  said: ReadonlyMap<string, unknown>,
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
  // Also where no file mentions it: whoever sets it means it.
  if (plan.jobs?.redisUrl !== undefined && !said.has('queue.redis_url')) note('queue.redis_url', 'REDIS_URL');
  if (plan.token !== undefined) beaten.set('token', 'BULKHEAD_TOKEN');
  note('database.mode', 'BULKHEAD_DATABASE_MODE');
  for (const word of ['name', 'user', 'password'] as const) {
    if (url?.[word] !== undefined) beaten.set(`database.${word}`, 'DATABASE_URL');
  }
  if (url?.kind === 'external') beaten.set('database.host', 'DATABASE_URL');
  else if (url?.port !== undefined) beaten.set('database.port', 'DATABASE_URL');
  return beaten;
}
