import { expect, test } from 'vitest';
import type { Plan } from '../../src/config/plan.ts';
import { readPlan } from '../../src/config/read-plan.ts';
import { refuseTakenPorts } from '../../src/supervisor/port-check.ts';

function planOf(text: string): Plan {
  const { plan } = readPlan({
    flags: { config: '/plan.yaml', tier: undefined, data: undefined },
    env: { BULKHEAD_PORT: '9700' },
    readFile: (path) => (path === '/plan.yaml' ? text : undefined),
    root: true,
    cwd: '/',
    runDir: '/run',
  });
  if (plan === undefined) throw new Error('the plan has problems');
  return plan;
}

const PLAN = planOf(`
version: 1
services:
  app: { command: [sh], healthcheck: { http: "http://127.0.0.1:3000/" } }
  other: { command: [sh], healthcheck: { tcp: 9701 } }
`);

function check(...taken: number[]): Promise<void> {
  return refuseTakenPorts(PLAN, {
    isTaken: async (_host, port) => taken.includes(port),
    whoListens: (port) => (port === 3000 ? 'node (pid 7)' : undefined),
  });
}

test('ports that nobody has are fine', async () => {
  await expect(check()).resolves.toBeUndefined();
});

test('one port is told in one sentence, with a port that is free', async () => {
  await expect(check(3000, 3001)).rejects.toMatchObject({
    message: 'cannot start: port 3000 of app is taken by node (pid 7)',
    remedy: 'stop it, or set PORT=3002',
    exitCode: 13,
  });
});

test('all ports are told at once, a line each, and none is sent to where another of ours goes', async () => {
  await expect(check(9700, 3000)).rejects.toMatchObject({
    message: [
      'cannot start: ports are taken',
      '  port 9700 of the probes is taken: set BULKHEAD_PORT=9702',
      '  port 3000 of app is taken by node (pid 7): set PORT=3001',
    ].join('\n'),
  });
});
