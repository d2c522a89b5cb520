import type { ServiceStatus, StatusWord } from '../../protocol/status.ts';
import type { Overall } from '../../protocol/verdict.ts';

/**
 * What a service's status word means to who routes and restarts; the only place where the words are mapped. `null` is
 * left out of the count. What does not serve yet is no different from what no longer serves: no traffic.
 */
const SERVES: Readonly<Record<StatusWord, boolean | null>> = {
  ready: true,
  done: true,
  disabled: null,
  waiting: false,
  starting: false,
  unhealthy: false,
  backoff: false,
  stopping: false,
  stopped: false,
  failed: false,
};

/** pass: it serves. warn: it does not, and need not. fail: it does not and must. `undefined`: it does not count. */
export function verdictOf(service: ServiceStatus): Overall | undefined {
  const serves = SERVES[service.status];
  if (serves === null) return undefined;
  if (serves) return isStale(service) ? 'warn' : 'pass';
  return service.critical ? 'fail' : 'warn';
}

/** Its check has answered once, but that is too long ago to be believed. */
export function isStale({ check }: ServiceStatus): boolean {
  return check !== undefined && check.up === undefined && check.at !== undefined;
}
