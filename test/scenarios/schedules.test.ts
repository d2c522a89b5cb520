import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ScheduleStatus } from '../../src/protocol/schedules.ts';
import { type Supervisor, startSupervisor } from '../support/supervisor.ts';

async function schedule(bulkhead: Supervisor, name: string): Promise<ScheduleStatus | undefined> {
  return (await bulkhead.status()).schedules.find((each) => each.name === name);
}

describe('schedules', () => {
  test('run by the clock beside what is ready, and tell when next and how it went', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  app: { command: [sleep, "1000"] }
schedules:
  tick: { cron: "* * * * * *", command: [sh, -c, 'echo tick'] }
  off: { cron: "", command: ["true"] }
`,
    });
    await bulkhead.ready();
    await bulkhead.says('| tick');
    const { code, stdout } = await bulkhead.run('schedule', 'list');
    expect(code).toBe(0);
    expect(stdout).toMatch(/tick\s+(idle|running)\s+in \d+ ?m?s?.*\* \* \* \* \* \*/);
    expect(stdout).toMatch(/off\s+off\s+-.*no cron expression/);
    expect((await bulkhead.run('logs', 'tick', '--no-prefix')).stdout).toContain('tick');
  });

  test('a run that a person asks for ends with its outcome; a failure is a warning until it goes well', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  app: { command: [sleep, "1000"] }
schedules:
  report: { cron: "0 0 1 1 *", command: [sh, -c, 'echo no disk; test -e good'], working_dir: "{folder}/data" }
`,
    });
    await bulkhead.ready();
    const failed = await bulkhead.run('schedule', 'run', 'report');
    expect(failed.code).toBe(1);
    expect(failed.stdout).toMatch(/report failed after .*exit 1.*last line: no disk/);
    const { overall, reason } = await bulkhead.status();
    expect([overall, reason]).toEqual([
      'warn',
      expect.stringContaining('schedule report failed when it last ran'),
    ]);
    writeFileSync(join(bulkhead.dataDir, 'good'), '');
    expect((await bulkhead.run('schedule', 'run', 'report')).code).toBe(0);
    expect((await bulkhead.status()).overall).toBe('pass');
    expect((await bulkhead.run('schedule', 'run', 'nothing')).code).toBe(4);
  });

  test('law 37: what runs too long is stopped with its whole tree, and a stop of everything takes it along', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  app: { command: [sleep, "1000"] }
schedules:
  slow: { cron: "0 0 1 1 *", command: [sh, -c, 'trap "" TERM; sleep 1000 & echo $$! > tree; wait'], working_dir: "{folder}/data", timeout: 500ms, stop_grace_period: 100ms }
  endless: { cron: "0 0 1 1 *", command: [sleep, "1000"] }
`,
    });
    await bulkhead.ready();
    const { code, stdout } = await bulkhead.run('schedule', 'run', 'slow');
    expect(code).toBe(1);
    expect(stdout).toMatch(/slow failed/);
    const child = Number(readFileSync(join(bulkhead.dataDir, 'tree'), 'utf8'));
    expect(() => process.kill(child, 0)).toThrow('ESRCH');
    expect((await bulkhead.run('schedule', 'run', 'endless', '--no-wait')).code).toBe(0);
    expect((await schedule(bulkhead, 'endless'))?.status).toBe('running');
    expect((await bulkhead.run('schedule', 'run', 'endless')).code).toBe(5);
    bulkhead.kill('SIGTERM');
    const { code: end } = await bulkhead.finished;
    expect(end, bulkhead.output()).toBe(0);
  });

  test('a reload changes when they run, and touches no service', async () => {
    const plan = (cron: string): string => `
version: 1
services:
  app: { command: [sleep, "1000"] }
schedules:
  tick: { cron: "${cron}", command: [sh, -c, 'echo tick'] }
`;
    await using bulkhead = await startSupervisor({ plan: plan('0 0 1 1 *') });
    await bulkhead.ready();
    const before = (await bulkhead.status()).services[0]?.pid;
    writeFileSync(join(bulkhead.folder, 'plan.yaml'), plan('* * * * * *'));
    const { stdout } = await bulkhead.run('reload');
    expect(stdout).toContain('schedules.tick.cron');
    await bulkhead.says('| tick');
    expect((await bulkhead.status()).services[0]?.pid).toBe(before);
  });
});
