import type { ProductStatus } from '../../protocol/status.ts';
import { verdictOf } from './verdict.ts';

export interface Startup {
  /** To be told at every change: a product that was well only between two questions has started all the same. */
  observe(product: ProductStatus): void;
  readonly hasStarted: boolean;
}

/**
 * Kubernetes' startup: false until everything critical was ready once, then true for the life of PID 1, so that a
 * later outage is a matter of readiness and never a reason to boot again.
 */
export function watchStartup(): Startup {
  let started = false;
  return {
    observe: ({ phase, services }) => {
      if (started || phase === 'stopping') return;
      started =
        phase === 'running' || !services.some((service) => service.critical && verdictOf(service) !== 'pass');
    },
    get hasStarted() {
      return started;
    },
  };
}
