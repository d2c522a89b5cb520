import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bulkhead, startSupervisor } from '../support/supervisor.ts';

/** A memory group of our own to fill, where this machine lets us make one. */
function makeGroup(bytes: number): string | undefined {
  for (const [parent, limit] of [
    ['/sys/fs/cgroup/memory', 'memory.limit_in_bytes'],
    ['/sys/fs/cgroup', 'memory.max'],
  ] as const) {
    const folder = join(parent, `bulkhead-test-${process.pid}`);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    try {
      writeFileSync(join(folder, limit), String(bytes));
      // Without swap accounting there is nothing to forbid.
      if (existsSync(join(folder, 'memory.swap.max'))) writeFileSync(join(folder, 'memory.swap.max'), '0');
      return folder;
    } catch {
      rmdirSync(folder);
    }
  }
  return undefined;
}

const group = makeGroup(150_000_000);

test.runIf(group)('a death for want of memory is called that, and one by another hand is not', async () => {
  const folder = group ?? '';
  try {
    await using supervisor = await startSupervisor({
      command: [
        'sh',
        '-c',
        `echo $$ > ${folder}/cgroup.procs; exec "$@"`,
        'sh',
        process.execPath,
        '--disable-sigusr1',
        bulkhead,
        'up',
      ],
      plan: `
version: 1
services:
  greedy: { command: [perl, -e, 'my @all; push @all, "x" x 1e6 while 1'], restart: 'no', critical: false }
  victim: { command: [sh, -c, 'kill -9 $$$$'], restart: 'no', critical: false, depends_on: { greedy: { condition: service_started } } }
`,
    });
    await expect
      .poll(async () => (await supervisor.status()).services.map(({ status }) => status), { timeout: 20_000 })
      .toEqual(['failed', 'failed']);
    const [greedy, victim] = (await supervisor.status()).services;
    expect(greedy?.reason).toContain('killed by the kernel: out of memory');
    expect(victim?.reason).toContain('SIGKILL');
    await supervisor.stop();
  } finally {
    await expect.poll(() => readFileSync(`${folder}/cgroup.procs`, 'utf8')).toBe('');
    rmdirSync(folder);
  }
});

test('a service that uses more memory than its plan allows, children included, is restarted and has not failed', async () => {
  await using supervisor = await startSupervisor({
    plan: `
version: 1
services:
  app:
    memory_restart: 60m
    command:
      - sh
      - -c
      - |
        test -e {folder}/grew && { echo slim; exec sleep 1000; }
        touch {folder}/grew
        perl -e '$$x = "x" x 80e6; sleep 1000' &
        trap 'echo asked; exit 0' TERM
        wait
`,
  });
  await supervisor.says('more than its plan allows');
  await expect.poll(() => supervisor.log('app'), { timeout: 20_000 }).toContain('slim');
  expect(supervisor.log('app')).toContain('asked');
  await supervisor.ready();
  expect((await supervisor.status()).services[0]).toMatchObject({ generation: 2, restarts: 0 });
});
