import { expect, test } from 'vitest';
import type { Plan } from '../../src/config/plan.ts';
import { readPlan } from '../../src/config/read-plan.ts';
import { portsOf, refuseTakenPorts, refuseTakenReplicas } from '../../src/supervisor/port-check.ts';
import { serviceStatus } from '../support/statuses.ts';

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

test('replicas that are to start find their ports free, or nothing of them is started', async () => {
  const { runs } = planOf(`
version: 1
services:
  web: { command: [sh], port: 4000, deploy: { replicas: 3 } }
`);
  const facts = {
    isTaken: async (_host: string, port: number) => port !== 4000,
    whoListens: (port: number) => (port === 4001 ? 'node (pid 7)' : undefined),
  };
  await expect(refuseTakenReplicas('scale', runs, { services: [] }, facts)).rejects.toMatchObject({
    message:
      'cannot scale: port 4001 of web-2 is taken by node (pid 7), port 4002 of web-3 is taken; nothing was started',
    exitCode: 5,
  });
  const services = [serviceStatus('web-2'), serviceStatus('web-3')];
  await refuseTakenReplicas('scale', runs, { services }, facts);
  await refuseTakenReplicas('reload', runs, { services: [] }, facts, portsOf(runs));
});
