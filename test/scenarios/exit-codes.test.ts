import { describe, expect, test } from 'vitest';
import { startSupervisor } from '../support/supervisor.ts';

describe('what exit codes mean', () => {
  test('law 13: a fatal exit code of a critical service ends the container at once, with its reason', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  app: { command: [sh, -c, 'echo begun; exit 78'], fatal_exit_codes: 78, critical: true, ready: { fd: 3 } }
`,
    });
    expect((await bulkhead.finished).code).toBe(10);
    expect(bulkhead.output()).toContain('ended (exit 78), which its plan calls fatal');
    expect(bulkhead.log('app').match(/begun/g)).toHaveLength(1);
  });

  test('a success exit code finishes a task, and a service that restarts on failure', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  job: { type: task, command: [sh, -c, 'exit 3'], success_exit_codes: [3], critical: true }
  once:
    command: [sh, -c, 'kill -TERM $$$$']
    restart: on-failure
    success_exit_codes: [143]
    depends_on: { job: { condition: service_completed_successfully } }
  worker: { command: [sleep, "1000"], depends_on: [once] }
`,
    });
    await bulkhead.ready();
    const { code } = await bulkhead.run('wait', 'job', 'once', 'worker', '--timeout', '20s');
    expect(code).toBe(0);
    const { services } = await bulkhead.status();
    expect(services.map(({ name, status, restarts }) => [name, status, restarts])).toEqual([
      ['job', 'done', 0],
      ['once', 'done', 0],
      ['worker', 'ready', 0],
    ]);
  });

  test('restart: on-failure:2 tries twice more, and dependents say why they wait', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  db: { command: [sh, -c, 'exit 1'], restart: "on-failure:2", backoff: { initial: 1ms, max: 2ms }, ready: { fd: 3 } }
  worker: { command: [sleep, "1000"], depends_on: { db: { condition: service_healthy } } }
`,
    });
    await bulkhead.says('db gave up');
    const { services } = await bulkhead.status();
    expect(services).toMatchObject([
      { name: 'db', status: 'failed', generation: 3 },
      {
        name: 'worker',
        status: 'waiting',
        reason: expect.stringMatching(/^waiting for db, which failed: crashed 3 times/),
      },
    ]);
  });
});
