/** What services write, and those who should take it. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually, readPeakMemory } from '../support/descendants.ts';
import { bulkhead as program, startSupervisor } from '../support/supervisor.ts';

const isRoot = process.geteuid?.() === 0;

/** MB; a quiet supervisor of two services has about 60. */
const BOUND = 160;

test('law 30: all that was written before a kill -9 is on standard output before the exit is told, and in the log', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  loud: { command: [sh, -c, 'for i in $$(seq 2000); do echo line $$i; done; echo last words; kill -9 $$$$'], restart: 'no' }
`,
  });
  await bulkhead.says('loud ended: SIGKILL');
  const output = bulkhead.output();
  expect(output.indexOf('line 2000')).toBeGreaterThan(0);
  const lastWords = output.indexOf('| last words');
  expect(lastWords).toBeGreaterThan(0);
  expect(lastWords).toBeLessThan(output.indexOf('loud ended: SIGKILL'));
  const { stdout } = await bulkhead.run('logs', 'loud');
  expect(stdout).toContain('last words');
});

test('law 31: ten megabytes without a newline, NULs, bytes that are no UTF-8 and a flood cost bounded memory and nobody else', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  endless: { command: [sh, -c, 'head -c 10485760 /dev/zero | tr "\\\\0" x; echo; echo over; exec sleep 1000'], ready: { log: ^over$$ } }
  nul: { command: [sh, -c, 'head -c 5242880 /dev/zero; echo; echo over; exec sleep 1000'], ready: { log: ^over$$ } }
  noise: { command: [sh, -c, 'head -c 5242880 /dev/urandom; echo; echo over; exec sleep 1000'], ready: { log: ^over$$ } }
  flood: { command: [sh, -c, 'yes 0123456789012345678901234567890123456789 | head -c 104857600; echo; echo over; exec sleep 1000'], ready: { log: ^over$$ } }
  quiet: { command: [sh, -c, 'while :; do echo tick; sleep 0.05; done'], ready: { log: tick } }
`,
  });
  await bulkhead.ready();
  expect(readPeakMemory(bulkhead.pid)).toBeLessThan(BOUND);
  const { services } = await bulkhead.status();
  for (const service of services) expect(service).toMatchObject({ status: 'ready', generation: 1 });
  expect(bulkhead.log('endless').length).toBeGreaterThan(10_485_760);
  expect((await bulkhead.probe('/livez')).status).toBe(200);
});

test('law 32: a client that follows the log and does not read makes nobody wait', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  flood: { command: [sh, -c, 'until test -e {folder}/go; do sleep 0.02; done; yes 0123456789012345678901234567890123456789 | head -c 52428800; echo; echo over; exec sleep 1000'], ready: { log: ^over$$ } }
`,
  });
  await bulkhead.answers();
  const reader = spawn(process.execPath, [program, 'logs', '-f'], {
    env: { ...process.env, BULKHEAD_DATA: bulkhead.dataDir },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    mkdirSync(join(bulkhead.folder, 'go'));
    await bulkhead.ready();
    expect(readPeakMemory(bulkhead.pid)).toBeLessThan(BOUND);
    expect((await bulkhead.probe('/livez')).status).toBe(200);
    expect(await bulkhead.stop()).toEqual({ code: 0, signal: null });
  } finally {
    reader.kill('SIGKILL');
  }
});

test.runIf(isRoot)('law 32: a full disk stops no service and not the supervisor', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-full-'));
  const dataDir = join(folder, 'data');
  mkdirSync(dataDir);
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'none', dataDir]).status).toBe(0);
  try {
    await using bulkhead = await startSupervisor({
      folder,
      plan: `
version: 1
services:
  loud: { command: [sh, -c, 'yes 0123456789012345678901234567890123456789 | head -c 20971520; echo; echo over; while :; do echo tick >> {folder}/alive; sleep 0.05; done'] }
  other: { command: [sleep, '1000'] }
`,
    });
    await eventually('the loud one has passed its flood', () => {
      try {
        return readFileSync(join(folder, 'alive'), 'utf8').length > 20;
      } catch {
        return false;
      }
    });
    expect((await bulkhead.run('restart', 'other')).code).toBe(0);
    expect((await bulkhead.probe('/livez')).status).toBe(200);
    expect(bulkhead.output()).toMatch(/WARN {2}cannot write the log file of loud: ENOSPC/);
    expect((await bulkhead.status()).notes).toContainEqual(
      expect.stringMatching(/^cannot write (a log file|log files): ENOSPC.*\bloud\b/),
    );
    expect(readPeakMemory(bulkhead.pid)).toBeLessThan(BOUND);
    expect((await bulkhead.stop()).signal).toBe(null);
  } finally {
    spawnSync('umount', ['-l', dataDir]);
    rmSync(folder, { recursive: true, force: true });
  }
});
