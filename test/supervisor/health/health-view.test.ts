import { describe, expect, it } from 'vitest';
import {
  type CheckStatus,
  type ServiceStatus,
  STATUS_WORDS,
  type StatusWord,
} from '../../../src/protocol/status.ts';
import { openHealthView } from '../../../src/supervisor/health/health-view.ts';
import { fullReport, LONGEST_REPORT } from '../../../src/supervisor/health/report.ts';
import { productStatus, serviceStatus } from '../../support/statuses.ts';

const STALE: CheckStatus = {
  up: undefined,
  failures: 0,
  threshold: 3,
  lastError: 'stale: last answer 42 s ago',
  durationMs: 1,
  at: '2026-01-01T00:00:00.000Z',
};

describe('readiness', () => {
  it.each(STATUS_WORDS)('counts %s the same wherever it is asked', (status) => {
    const well = status === 'ready' || status === 'done' || status === 'disabled';
    const view = openHealthView({
      product: () => productStatus([serviceStatus('a', { status })]),
      fault: () => undefined,
    });
    expect(view.ready().ok).toBe(well);
    const expected = status === 'disabled' ? undefined : well ? 'pass' : 'fail';
    expect(view.service('a', false)?.status).toBe(expected);
  });

  it.each(STATUS_WORDS)('does not depend on a service that is %s and not critical', (status) => {
    const view = openHealthView({
      product: () => productStatus([serviceStatus('a', { status, critical: false })]),
      fault: () => undefined,
    });
    expect(view.ready().ok).toBe(true);
    expect(view.service('a', false)?.status).not.toBe('fail');
  });

  it('ends when the stop begins, whatever services say', () => {
    const view = openHealthView({
      product: () => productStatus([serviceStatus('a')], { phase: 'stopping' }),
      fault: () => undefined,
    });
    expect(view.ready()).toEqual({ ok: false, word: 'stopping' });
  });

  it('is not given to a critical service whose check is stale; the report warns of it', () => {
    const services = [serviceStatus('app', { check: STALE })];
    const view = openHealthView({ product: () => productStatus(services), fault: () => undefined });
    expect(view.ready()).toEqual({ ok: false, word: 'not ready' });
    expect(view.report(false).status).toBe('warn');
    expect(view.report(true)).toMatchObject({ status: 'warn', output: 'app: stale: last answer 42 s ago' });
  });
});

describe('a report with details', () => {
  const wordy = (index: number, status: StatusWord): ServiceStatus =>
    serviceStatus(`service-with-a-long-name-${index}`, {
      status,
      reason: 'é'.repeat(300),
      critical: index % 2 === 0,
    });

  it.each([50, 500, 5000])('of %i services that are all down is shorter than 8 KiB', (count) => {
    const services = Array.from({ length: count }, (_, index) => wordy(index, 'backoff'));
    const product = productStatus(services, {
      overall: 'fail',
      reason: 'x'.repeat(5000),
      notes: Array.from({ length: 40 }, () => 'n'.repeat(500)),
    });
    expect(Buffer.byteLength(JSON.stringify(fullReport(product)))).toBeLessThan(LONGEST_REPORT);
  });

  it('of 50 services names every one of them', () => {
    const services = Array.from({ length: 50 }, (_, index) =>
      wordy(index, index < 10 ? 'unhealthy' : 'ready'),
    );
    expect(Object.keys(fullReport(productStatus(services)).checks ?? {})).toHaveLength(50);
  });

  it('keeps those that are not well when there are too many', () => {
    const services = Array.from({ length: 500 }, (_, index) =>
      wordy(index, index === 400 ? 'failed' : 'ready'),
    );
    expect(Object.keys(fullReport(productStatus(services)).checks ?? {})).toEqual([
      'service-with-a-long-name-400:status',
    ]);
  });

  it('says what a service says of itself, and leaves out what is switched off', () => {
    const report = fullReport(
      productStatus(
        [
          serviceStatus('app', {
            status: 'unhealthy',
            restarts: 2,
            reason: 'its check failed',
            check: { ...STALE, up: false, lastError: 'HTTP 503' },
          }),
          serviceStatus('redis', { status: 'disabled' }),
        ],
        { overall: 'fail', reason: 'not ready: app', notes: ['/data is not a mount'] },
      ),
    );
    expect(report).toEqual({
      status: 'fail',
      version: '1',
      releaseId: '1.2.3',
      serviceId: 'product',
      description: 'tier core, running',
      output: 'not ready: app',
      notes: ['/data is not a mount'],
      checks: {
        'app:status': [
          {
            componentType: 'component',
            status: 'fail',
            observedValue: 'unhealthy',
            time: '2026-01-01T00:00:00.000Z',
            output: 'HTTP 503',
            restarts: 2,
          },
        ],
      },
    });
  });
});

describe('startup', () => {
  it('is over when everything critical was ready once, though nobody asked then, and stays over', () => {
    let product = productStatus([serviceStatus('app', { status: 'starting' })], { phase: 'booting' });
    const view = openHealthView({ product: () => product, fault: () => undefined });
    expect(view.started()).toEqual({ ok: false, word: 'starting' });
    product = productStatus([serviceStatus('app')], { phase: 'booting' });
    view.observe();
    product = productStatus([serviceStatus('app', { status: 'backoff' })], { phase: 'booting' });
    expect(view.started()).toEqual({ ok: true, word: 'started' });
    expect(view.ready()).toEqual({ ok: false, word: 'not ready' });
    product = productStatus([], { phase: 'stopping' });
    expect(view.started().ok).toBe(true);
  });

  it('does not wait for what is not critical', () => {
    const services = [serviceStatus('app'), serviceStatus('extra', { status: 'starting', critical: false })];
    const view = openHealthView({
      product: () => productStatus(services, { phase: 'booting' }),
      fault: () => undefined,
    });
    expect(view.started().ok).toBe(true);
  });

  it('does not come to pass by stopping in the middle of it', () => {
    const view = openHealthView({
      product: () => productStatus([], { phase: 'stopping' }),
      fault: () => undefined,
    });
    expect(view.started().ok).toBe(false);
  });
});

describe('being alive', () => {
  it('depends on nothing but the supervisor', () => {
    let fault: string | undefined;
    const view = openHealthView({
      product: () => {
        throw new Error('not asked');
      },
      fault: () => fault,
    });
    expect(view.live().ok).toBe(true);
    fault = 'the reaper stands still';
    expect(view.live()).toEqual({ ok: false, word: 'faulty' });
  });
});

describe('replicas', () => {
  const web = (number: number, changes: Partial<ServiceStatus>) =>
    serviceStatus(`web-${number}`, { replicaOf: 'web', ...changes });
  const isReady = (...services: ServiceStatus[]) =>
    openHealthView({ product: () => productStatus(services), fault: () => undefined }).ready().ok;

  it('are ready together while one of them is', () => {
    expect(isReady(web(1, {}), web(2, { status: 'stopping' }))).toBe(true);
    expect(isReady(web(1, { status: 'starting' }), web(2, { status: 'stopping' }))).toBe(false);
    expect(isReady(web(1, {}), serviceStatus('app', { status: 'stopping' }))).toBe(false);
  });

  it('answer by the name of all as the best of them does', () => {
    const product = productStatus([web(1, { status: 'failed' }), web(2, {}), serviceStatus('app')]);
    const view = openHealthView({ product: () => product, fault: () => undefined });
    expect(view.service('web', false)?.status).toBe('pass');
    expect(view.service('web-1', false)?.status).toBe('fail');
    expect(view.service('we', false)).toBeUndefined();
  });

  it('do not cover each other by an answer that is long ago', () => {
    expect(isReady(web(1, { check: STALE }), web(2, { status: 'stopping' }))).toBe(false);
  });
});
