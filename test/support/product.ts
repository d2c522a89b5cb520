import type { ProductStatus, SelfStatus, ServiceStatus } from '../../src/protocol/status.ts';

/** 2026-01-01T00:00:00Z, the moment all examples speak of. */
export const EXAMPLE_NOW = Date.UTC(2026, 0, 1);

const ago = (ms: number) => new Date(EXAMPLE_NOW - ms).toISOString();

/** A supervisor in which all is well. */
export const exampleSelf: SelfStatus = {
  fault: undefined,
  loopLag: 1.5,
  zombies: 0,
  openFiles: 20,
  openFilesLimit: 1024,
  timers: 1,
  residentBytes: 60_000_000,
  logQueuedBytes: 0,
  logDroppedLines: 0,
  logLostLines: {},
  internalErrors: 0,
};

/** The status of one service: ready for an hour unless told otherwise. */
export function exampleService(name: string, changes: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    name,
    kind: 'service',
    status: 'ready',
    reason: '',
    since: ago(3_600_000),
    generation: 1,
    pid: 100,
    critical: true,
    restarts: 0,
    nextStart: undefined,
    startedIn: 850,
    lastExit: undefined,
    lastLine: undefined,
    check: undefined,
    progress: undefined,
    ...changes,
  };
}

/** The status of a small product in which all is well. */
export function exampleProduct(changes: Partial<ProductStatus> = {}): ProductStatus {
  return {
    schemaVersion: 1,
    name: 'video-ia',
    version: '1.4.0',
    tier: 'core',
    pid: 1,
    since: ago(3_605_000),
    phase: 'running',
    overall: 'pass',
    reason: '',
    services: [
      exampleService('cluster', { kind: 'task', status: 'done', pid: undefined, startedIn: 800 }),
      exampleService('database', { pid: 31 }),
      exampleService('setup', {
        kind: 'task',
        status: 'done',
        pid: undefined,
        startedIn: 1900,
        reason: 'imported 16,765 rows',
      }),
      exampleService('app', {
        pid: 58,
        check: { up: true, failures: 0, threshold: 3, lastError: undefined, durationMs: 4, at: ago(2000) },
      }),
    ],
    schedules: [],
    notes: [],
    addresses: [
      { what: 'app', url: 'http://localhost:3000' },
      { what: 'health', url: 'http://localhost:9700/health' },
    ],
    ...changes,
  };
}

/** The same product while its app crashes again and again. */
export function degradedProduct(): ProductStatus {
  const product = exampleProduct();
  return {
    ...product,
    overall: 'fail',
    reason:
      'degraded: app crashed 3 times in 2 min, next start in 8 s; last line: Error: connect ECONNREFUSED 127.0.0.1:5432',
    notes: ['/data is not a mount: its content goes away with the container'],
    services: [
      ...product.services.slice(0, 3),
      exampleService('app', {
        status: 'backoff',
        reason: 'crashed 3 times in 2 min, next start in 8 s',
        since: ago(4000),
        pid: undefined,
        restarts: 3,
        generation: 4,
        nextStart: new Date(EXAMPLE_NOW + 8000).toISOString(),
        lastExit: { code: 1, signal: null, at: ago(4000) },
        lastLine: 'Error: connect ECONNREFUSED 127.0.0.1:5432',
        check: { up: false, failures: 2, threshold: 3, lastError: 'HTTP 500', durationMs: 12, at: ago(6000) },
      }),
      exampleService('redis', {
        status: 'disabled',
        reason: 'tier full',
        pid: undefined,
        generation: 0,
        critical: false,
      }),
    ],
  };
}
