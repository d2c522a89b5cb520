import type { Progress, ServiceStatus, StatusWord } from './status.ts';
import type { Overall } from './verdict.ts';

/** How loudly each word speaks when several runs are not well: the sentence is about the first of the loudest. */
const LOUDNESS: Readonly<Record<StatusWord, number>> = {
  failed: 8,
  backoff: 7,
  unhealthy: 6,
  stopping: 5,
  stopped: 4,
  starting: 3,
  waiting: 2,
  ready: 0,
  done: 0,
  disabled: 0,
};

/**
 * The product as a whole, and why, in one sentence: "degraded: app crashed 3 times in 2 min (exit 1), next start in
 * 8 s; last line: …". Critical runs decide between `fail` and the rest; an optional one that is not well is a `warn`.
 * Pure: health, control and the command line all ask here, so they cannot disagree.
 */
export function overallOf(
  services: readonly ServiceStatus[],
  phase: 'booting' | 'running' | 'stopping',
): { readonly overall: Overall; readonly reason: string } {
  if (phase === 'stopping') return { overall: 'fail', reason: stoppingReason(services) };
  const isMissed = (service: ServiceStatus): boolean => service.critical && !isCovered(service, services);
  const unwell = services
    .filter((service) => LOUDNESS[service.status] > 0)
    .sort((a, b) => Number(isMissed(b)) - Number(isMissed(a)) || LOUDNESS[b.status] - LOUDNESS[a.status]);
  const [worst, ...others] = unwell;
  if (worst === undefined) return { overall: 'pass', reason: passReason(services) };
  const isOnItsWay = worst.status === 'starting' || worst.status === 'waiting';
  const prefix = isOnItsWay && (phase === 'booting' || worst.restarts === 0) ? 'starting' : 'degraded';
  return {
    overall: isMissed(worst) ? 'fail' : 'warn',
    reason: `${prefix}: ${prefix === 'starting' ? startingSentence(worst) : sentence(worst)}${others.length === 0 ? '' : ` (and ${others.length} more)`}${lastWords(worst)}`,
  };
}

/** Another replica of the same service is ready: together they serve, with less room. */
export function isCovered(service: ServiceStatus, services: readonly ServiceStatus[]): boolean {
  const { replicaOf } = service;
  if (replicaOf === undefined) return false;
  return services.some((other) => other.replicaOf === replicaOf && other.status === 'ready');
}

/** "importing tools.sql.gz, 43 %, 7,210 rows" */
export function progressText(progress: Progress): string {
  const percent = progress.percent === undefined ? undefined : `${Math.floor(progress.percent)} %`;
  return [progress.what, percent, progress.detail]
    .filter((part) => part !== undefined && part !== '')
    .join(', ');
}

function stoppingReason(services: readonly ServiceStatus[]): string {
  const left = services.filter((service) => service.pid !== undefined).map((service) => service.name);
  return left.length === 0 ? 'stopping' : `stopping: waiting for ${left.join(', ')}`;
}

function passReason(services: readonly ServiceStatus[]): string {
  const ready = services.filter((service) => service.status === 'ready').length;
  if (ready === 0) return 'nothing is running';
  return ready === 1 ? '1 service is ready' : `all ${ready} services are ready`;
}

/** What a boot is waiting for: the run itself, with how far it has come. */
function startingSentence(service: ServiceStatus): string {
  if (service.status === 'waiting') return `${service.name} is ${service.reason || 'waiting'}`;
  const aim =
    service.kind === 'task' ? 'to finish' : service.check === undefined ? 'to be ready' : 'to be healthy';
  const how = service.progress === undefined ? '' : ` (${progressText(service.progress)})`;
  return `waiting for ${service.name} ${aim}${how}`;
}

function sentence(service: ServiceStatus): string {
  const { name, status, reason } = service;
  switch (status) {
    case 'backoff':
      return `${name} ${reason || 'failed'}`;
    case 'failed':
      return reason === '' ? `${name} failed` : `${name} failed for good: ${reason}`;
    default:
      if (status === 'starting' && service.progress !== undefined)
        return `${name} is starting (${progressText(service.progress)})`;
      // "waiting for …" and "stopped by request" say the word themselves.
      if (reason.startsWith(status)) return `${name} is ${reason}`;
      return `${name} is ${status}${reason === '' ? '' : `: ${reason}`}`;
  }
}

function lastWords(service: ServiceStatus): string {
  return service.lastLine === undefined || service.lastLine === '' ? '' : `; last line: ${service.lastLine}`;
}
