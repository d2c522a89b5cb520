import type { Overall, ServiceStatus, StatusWord } from '../../protocol/status.ts';

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

/** Which of several is told first: the worst. */
const SEVERITY: readonly StatusWord[] = [
  'failed',
  'backoff',
  'unhealthy',
  'stopped',
  'stopping',
  'starting',
  'waiting',
];

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

/** Those that do not serve, the worst first, critical before the others. */
export function findUnwell(services: readonly ServiceStatus[]): readonly ServiceStatus[] {
  const rank = (service: ServiceStatus): number => {
    const severity = SEVERITY.indexOf(service.status);
    return (service.critical ? 0 : 100) + (severity < 0 ? SEVERITY.length : severity);
  };
  return services
    .filter((service) => {
      const verdict = verdictOf(service);
      return verdict === 'warn' || verdict === 'fail';
    })
    .sort((a, b) => rank(a) - rank(b));
}
