import { expect, test } from 'vitest';
import { renderStatus } from '../../src/cli/status-text.ts';
import { EXAMPLE_NOW, exampleProduct } from '../support/product.ts';

test('status has one line of the queue, and says where its jobs are', () => {
  const product = exampleProduct({
    jobs: {
      counts: { created: 12, retry: 0, active: 2, completed: 40, cancelled: 0, failed: 1 },
      paused: false,
      store: { kind: 'postgres', durability: 'durable', since: '2026-01-01T10:42:00.000Z' },
      verdict: 'pass',
    },
  });
  const shown = renderStatus({
    product,
    services: product.services,
    now: EXAMPLE_NOW,
    width: 100,
    paint: (_tone, text) => text,
    command: 'bulkhead',
  });
  expect(shown.split('\n')).toContain(
    'jobs: 12 waiting, 2 active, 1 failed; kept in PostgreSQL since 10:42 UTC',
  );
});
