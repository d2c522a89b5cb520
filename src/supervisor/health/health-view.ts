import { isCovered } from '../../protocol/overall.ts';
import type { ProductStatus, ServiceStatus } from '../../protocol/status.ts';
import { briefReport, fullReport, type HealthReport, jobsReport, serviceReport } from './report.ts';
import { watchStartup } from './startup.ts';
import { isStale, verdictOf } from './verdict.ts';

interface HealthAnswer {
  readonly ok: boolean;
  /** Without details: nothing of what runs inside may be read out of it. */
  readonly word: string;
}

export interface HealthSource {
  /** From what is known already; must not wait for anything. */
  product(): ProductStatus;
  /** A fault inside PID 1 itself (its reaper or its state machine stands still), or undefined. */
  fault(): string | undefined;
}

export interface HealthView {
  /** To be called at every change of status, so that `started` misses nothing. */
  observe(): void;
  /** Restart if not: the supervisor itself. Stays true while it stops and whatever happens to services. */
  live(): HealthAnswer;
  started(): HealthAnswer;
  /** Route if not: everything critical serves, and nobody is stopping. */
  ready(): HealthAnswer;
  report(details: boolean): HealthReport;
  /** Also of the queue, as `jobs`. undefined: no such service, or it is disabled. */
  service(name: string, details: boolean): HealthReport | undefined;
}

/** The service of that name, or of its replicas the one that speaks for all: one that is ready, if there is one. */
function findMeant(services: readonly ServiceStatus[], name: string): ServiceStatus | undefined {
  const replicas = services.filter(({ replicaOf }) => replicaOf === name);
  return (
    services.find((service) => service.name === name) ??
    replicas.find((replica) => verdictOf(replica) === 'pass' && !isStale(replica)) ??
    replicas[0]
  );
}

/** What is asked on the probe port, answered from the last results. */
export function openHealthView(source: HealthSource): HealthView {
  const startup = watchStartup();
  /** Once it has started, nothing is left to see: the product is not put together for it. */
  const observe = (): void => {
    if (!startup.hasStarted) startup.observe(source.product());
  };

  const look = (): ProductStatus => {
    const product = source.product();
    startup.observe(product);
    // A check that has not been answered for long is no failure yet, and no good news any more.
    const stale = product.overall === 'pass' ? product.services.find(isStale) : undefined;
    if (!stale) return product;
    return { ...product, overall: 'warn', reason: `${stale.name}: ${stale.check?.lastError ?? 'stale'}` };
  };

  return {
    observe,
    live: () => (source.fault() === undefined ? { ok: true, word: 'alive' } : { ok: false, word: 'faulty' }),
    started: () => {
      observe();
      return startup.hasStarted ? { ok: true, word: 'started' } : { ok: false, word: 'starting' };
    },
    ready: () => {
      const product = source.product();
      startup.observe(product);
      if (product.phase === 'stopping') return { ok: false, word: 'stopping' };
      const fresh = product.services.filter((service) => !isStale(service));
      const missing = product.services.some(
        (service) =>
          service.critical &&
          (verdictOf(service) === 'fail' || isStale(service)) &&
          !isCovered(service, fresh),
      );
      // Where nothing is critical, a boot is over when everything has had its first try.
      if (!missing && product.phase === 'running') return { ok: true, word: 'ready' };
      return { ok: false, word: startup.hasStarted ? 'not ready' : 'starting' };
    },
    report: (details) => (details ? fullReport(look()) : briefReport(look().overall)),
    service: (name, details) => {
      const { services, jobs } = source.product();
      const found = findMeant(services, name);
      if (!found && name === 'jobs' && jobs) return jobsReport(jobs, details);
      if (!found || verdictOf(found) === undefined) return undefined;
      return serviceReport(found, details);
    },
  };
}
