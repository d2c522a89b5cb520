import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bulkhead as entry, startSupervisor } from '../support/supervisor.ts';

const programs = join(import.meta.dirname, '..', 'programs');

const STAYS = "command: [sh, -c, 'echo here; exec sleep 1000'], ready: { log: here }";

describe('a supervisor that ends', () => {
  test.for([
    ['SIGWINCH', 'nobody caught this'],
    ['SIGCONT', 'nobody awaited this'],
  ] as const)(
    'stops everything in order and ends 70 when its own code fails (%s)',
    async ([signal, text]) => {
      await using bulkhead = await startSupervisor({
        plan: `version: 1\nservices: { app: { ${STAYS} } }`,
        command: [process.execPath, '--require', join(programs, 'throws-when-asked.cjs'), entry, 'up'],
      });
      await bulkhead.ready();
      const pid = (await bulkhead.status()).services[0]?.pid;
      bulkhead.child.kill(signal);
      expect(await bulkhead.finished).toEqual({ code: 70, signal: null });
      expect(bulkhead.output()).toContain(text);
      expect(bulkhead.output()).toContain('stopped; exit 70');
      expect(existsSync(`/proc/${pid}`)).toBe(false);
    },
  );

  test('takes two Ctrl-C of the same moment for one: npm passes on what the terminal has sent already', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  slow: { command: [sh, -c, 'trap "sleep 0.5; exit 0" TERM; echo here; while :; do sleep 0.1; done'], ready: { log: here } }
`,
    });
    await bulkhead.ready();
    bulkhead.child.kill('SIGINT');
    await bulkhead.says('stopping: SIGINT');
    bulkhead.child.kill('SIGINT');
    expect((await bulkhead.finished).code).toBe(0);
  });

  test('leaves no deaf service behind, and no deaf command beside it', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  deaf: { command: [sh, -c, 'trap "" TERM; echo here; while :; do sleep 1; done'], ready: { log: here }, stop_grace_period: 1m }
`,
      env: { BULKHEAD_STOP_TIMEOUT: '2s' },
    });
    await bulkhead.ready();
    const beside = bulkhead.run('exec', 'deaf', '--', 'sh', '-c', 'trap "" TERM; echo $$ > pid; sleep 1000');
    expect((await bulkhead.stop()).code).toBe(14);
    await beside;
  });

  test('takes no new commands while it stops', async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  slow: { command: [sh, -c, 'trap "echo asked; sleep 2; exit 0" TERM; echo here; while :; do sleep 0.1; done'], ready: { log: here } }
`,
    });
    await bulkhead.ready();
    bulkhead.child.kill('SIGTERM');
    await bulkhead.says('asked');
    const exec = await bulkhead.run('exec', 'slow', '--', 'true');
    expect(exec.stderr).toContain('being stopped');
    expect(exec).toMatchObject({ code: 5 });
    expect((await bulkhead.run('reload')).code).toBe(5);
    expect((await bulkhead.finished).code).toBe(0);
  });

  test('starts nothing and ends 0 when it is asked to stop while it still reads its plan', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-early-'));
    const plan = join(folder, 'plan.yaml');
    execFileSync('mkfifo', [plan]);
    {
      await using bulkhead = await startSupervisor({ folder, env: { BULKHEAD_CONFIG: plan } });
      // Opened as soon as the other end is: from then on it reads, and hears signals only later.
      const writer = await open(plan, 'w');
      bulkhead.child.kill('SIGTERM');
      await writer.write(`version: 1\nservices: { app: { command: [touch, '${folder}/started'] } }`);
      await writer.close();
      expect(await bulkhead.finished).toEqual({ code: 0, signal: null });
    }
    expect(readFileSync(join(folder, 'data', 'bulkhead', 'events.ndjson'), 'utf8')).not.toContain('spawned');
    expect(existsSync(join(folder, 'started'))).toBe(false);
    rmSync(folder, { recursive: true, force: true });
  });

  test('writes its last event', async () => {
    await using bulkhead = await startSupervisor({ plan: `version: 1\nservices: { app: { ${STAYS} } }` });
    await bulkhead.ready();
    await bulkhead.stop();
    const events = readFileSync(join(bulkhead.dataDir, 'bulkhead', 'events.ndjson'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(JSON.parse(events.at(-1) ?? '')).toMatchObject({ type: 'changed', to: 'stopped' });
  });
});

describe('what it writes', () => {
  test('is records and nothing else where records are asked for', async () => {
    await using bulkhead = await startSupervisor({
      plan: `version: 1\nservices: { app: { ${STAYS} } }`,
      env: { LOG_FORMAT: 'json' },
    });
    await bulkhead.ready();
    await bulkhead.stop();
    const lines = bulkhead.output().split('\n');
    const records = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as unknown);
    expect(records.length).toBeGreaterThanOrEqual(3);
    expect(bulkhead.output()).not.toContain('SERVICE');
  });

  test('may go nowhere: nobody reads it, or nothing is open', async () => {
    await using bulkhead = await startSupervisor({
      plan: `version: 1\nservices: { app: { ${STAYS} } }`,
      command: ['sh', '-c', `exec "${process.execPath}" "${entry}" up >&- 2>&-`],
    });
    await bulkhead.ready();
    expect((await bulkhead.stop()).code).toBe(0);
  });
});
