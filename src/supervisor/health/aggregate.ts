import type { Overall, ProductStatus, ServiceStatus } from '../../protocol/status.ts';
import { findUnwell, isStale, verdictOf } from './verdict.ts';

/**
 * The product as one word and one sentence without a final stop. Notes do not count: what is true for as long as the
 * container lives (no volume, one user for all) would hide every other warning. Pure.
 */
export function aggregate(product: Pick<ProductStatus, 'phase' | 'services'>): {
  readonly overall: Overall;
  readonly reason: string;
} {
  const unwell = findUnwell(product.services);
  const worst = unwell[0];
  if (product.phase === 'stopping') return { overall: 'fail', reason: 'stopping' };
  if (worst && verdictOf(worst) === 'fail') {
    const word = product.phase === 'booting' && isOnItsWay(worst) ? 'starting' : 'not ready';
    return { overall: 'fail', reason: `${word}: ${describe(worst)}${andMore(unwell.length - 1)}` };
  }
  if (worst) return { overall: 'warn', reason: `degraded: ${describe(worst)}${andMore(unwell.length - 1)}` };
  return { overall: 'pass', reason: 'ready' };
}

function isOnItsWay({ status }: ServiceStatus): boolean {
  return status === 'starting' || status === 'waiting';
}

/** "app crashed 3 times in 2 min, next start in 8 s; last line: …" */
function describe(service: ServiceStatus): string {
  const { name, status, reason, lastLine, progress, check } = service;
  if (isStale(service)) return `${name} is not known to be well (${check?.lastError ?? 'no answer'})`;
  const doing =
    progress && `${progress.what}${progress.percent === undefined ? '' : ` ${progress.percent} %`}`;
  const why = doing ?? (reason === '' ? `is ${status}` : reason);
  return `${name} ${why}${lastLine === undefined ? '' : `; last line: ${lastLine}`}`;
}

function andMore(count: number): string {
  return count > 0 ? ` (and ${count} more)` : '';
}
