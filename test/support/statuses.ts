import type { ProductStatus, ServiceStatus } from '../../src/protocol/status.ts';

/** A service that is ready, except for what the test says. */
export function serviceStatus(name: string, changes: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    name,
    kind: 'service',
    status: 'ready',
    reason: '',
    since: '2026-01-01T00:00:00.000Z',
    generation: 1,
    pid: 100,
    critical: true,
    restarts: 0,
    nextStart: undefined,
    startedIn: 50,
    lastExit: undefined,
    lastLine: undefined,
    check: undefined,
    progress: undefined,
    ...changes,
  };
}

/** A product that runs, except for what the test says. */
export function productStatus(
  services: readonly ServiceStatus[],
  changes: Partial<ProductStatus> = {},
): ProductStatus {
  return {
    schemaVersion: 1,
    name: 'product',
    version: '1.2.3',
    tier: 'core',
    pid: 1,
    since: '2026-01-01T00:00:00.000Z',
    phase: 'running',
    overall: 'pass',
    reason: 'ready',
    services,
    schedules: [],
    notes: [],
    addresses: [],
    ...changes,
  };
}
