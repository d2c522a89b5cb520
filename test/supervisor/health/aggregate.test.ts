import { describe, expect, it } from 'vitest';
import type { CheckStatus, ServiceStatus, StatusWord } from '../../../src/protocol/status.ts';
import { aggregate } from '../../../src/supervisor/health/aggregate.ts';
import { openHealthView } from '../../../src/supervisor/health/health-view.ts';
import { fullReport, LONGEST_REPORT } from '../../../src/supervisor/health/report.ts';
import { productStatus, serviceStatus } from '../../support/statuses.ts';

const WORDS: readonly StatusWord[] = [
  'waiting',
  'starting',
  'ready',
  'unhealthy',
  'backoff',
  'stopping',
  'stopped',
  'done',
  'failed',
  'disabled',
];
const STALE: CheckStatus = {
  up: undefined,
  failures: 0,
  threshold: 3,
  lastError: 'stale: last answer 42 s ago',
  durationMs: 1,
  at: '2026-01-01T00:00:00.000Z',
};

function overallOf(...services: readonly ServiceStatus[]): string {
  return aggregate({ phase: 'running', services }).overall;
}

describe('the product as one word', () => {
  it.each(WORDS)('counts %s the same wherever it is asked', (status) => {
    const well = status === 'ready' || status === 'done' || status === 'disabled';
    expect(overallOf(serviceStatus('a', { status }))).toBe(well ? 'pass' : 'fail');
    expect(overallOf(serviceStatus('a', { status, critical: false }))).toBe(well ? 'pass' : 'warn');
    const view = openHealthView({
      product: () => productStatus([serviceStatus('a', { status })]),
      fault: () => undefined,
    });
    expect(view.ready().ok).toBe(well);
  });

  it('fails while it stops, whatever services say', () => {
    expect(aggregate({ phase: 'stopping', services: [serviceStatus('a')] })).toEqual({
      overall: 'fail',
      reason: 'stopping',
    });
  });

  it('warns of a critical service whose check is stale, and does not route to it', () => {
    const services = [serviceStatus('app', { check: STALE })];
    expect(aggregate({ phase: 'running', services })).toEqual({
      overall: 'warn',
      reason: 'degraded: app is not known to be well (stale: last answer 42 s ago)',
    });
    const view = openHealthView({ product: () => productStatus(services), fault: () => undefined });
    expect(view.ready()).toEqual({ ok: false, word: 'not ready' });
  });
});

describe('the reason', () => {
  it('names the worst, critical ones first, with its last line', () => {
    const services = [
      serviceStatus('slow', { status: 'starting' }),
      serviceStatus('extra', { status: 'failed', critical: false, reason: 'gave up' }),
      serviceStatus('app', {
        status: 'backoff',
        reason: 'crashed 3 times in 2 min, next start in 8 s',
        lastLine: 'Error: no',
      }),
    ];
    expect(aggregate({ phase: 'running', services }).reason).toBe(
      'not ready: app crashed 3 times in 2 min, next start in 8 s; last line: Error: no (and 2 more)',
    );
    expect(aggregate({ phase: 'running', services: services.slice(1, 2) }).reason).toBe(
      'degraded: extra gave up',
    );
  });

  it('says starting, and how far it is, as long as the product boots', () => {
    const progress = { what: 'is importing tools.sql', percent: 40, detail: undefined };
    const services = [serviceStatus('setup', { status: 'starting', progress })];
    expect(aggregate({ phase: 'booting', services }).reason).toBe(
      'starting: setup is importing tools.sql 40 %',
    );
    expect(aggregate({ phase: 'running', services: [] }).reason).toBe('ready');
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
