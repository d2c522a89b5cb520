/** The supervisor as PID 1 of a namespace, read from outside; and as any other process. */
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { countOpenFiles, eventually, listDescendants } from '../support/descendants.ts';
import { bulkhead as program, type Supervisor, startSupervisor } from '../support/supervisor.ts';

const isRoot = process.geteuid?.() === 0;

/** Three hundred orphans, each in a session of its own, that die while others are made. */
const MAKES_ORPHANS =
  'i=0; while [ $$i -lt 300 ]; do (setsid sleep 0.0$$((i % 7)) &); i=$$((i+1)); done; echo made; exec sleep 1000';

const planOfOrphans = `
version: 1
services:
  maker: { command: [sh, -c, '${MAKES_ORPHANS}'], ready: { log: ^made } }
`;

async function expectNoZombies(bulkhead: Supervisor): Promise<void> {
  await eventually('all orphans are gone', () =>
    listDescendants(bulkhead.pid).every(({ argv }) => argv === 'sleep 1000'),
  );
  expect(listDescendants(bulkhead.pid).filter(({ state }) => state === 'Z')).toEqual([]);
}

test.runIf(isRoot)('law 1: as PID 1 it leaves no zombie of three hundred orphans', async () => {
  await using bulkhead = await startSupervisor({ plan: planOfOrphans, namespace: true });
  await bulkhead.ready();
  expect((await bulkhead.status()).pid).toBe(1);
  await expectNoZombies(bulkhead);
  expect(await bulkhead.stop()).toEqual({ code: 0, signal: null });
});

test('laws 1, 28: as any other process it adopts the orphans of its services and leaves no zombie', async () => {
  await using bulkhead = await startSupervisor({ plan: planOfOrphans });
  await bulkhead.ready();
  await expectNoZombies(bulkhead);
});

test.runIf(isRoot)(
  'law 5: as PID 1 a stop does not wait for a group whose last members are zombies',
  async () => {
    await using bulkhead = await startSupervisor({
      plan: `
version: 1
services:
  app: { command: [sh, -c, 'for i in 1 2 3 4 5; do (sleep 0.1 &) ; done; echo made; exec sleep 1000'], ready: { log: ^made }, stop_grace_period: 30s }
`,
      namespace: true,
    });
    await bulkhead.ready();
    expect((await bulkhead.run('stop', 'app')).code).toBe(0);
    expect(listDescendants(bulkhead.pid)).toEqual([]);
  },
);

test.runIf(isRoot)(
  'law 39: killed as PID 1 it takes everything with it, and the next boot on its data starts anew',
  async () => {
    const plan = `
version: 1
services:
  once: { type: task, command: [sh, -c, 'echo run >> {folder}/runs'] }
  app: { command: [sh, -c, 'setsid sleep 1006 & echo up; exec sleep 1007'], ready: { log: ^up }, depends_on: { once: { condition: service_completed_successfully } } }
`;
    await using first = await startSupervisor({ plan, namespace: true });
    await first.ready();
    const pids = listDescendants(first.pid).map(({ pid }) => pid);
    expect(pids.length).toBeGreaterThanOrEqual(2);
    first.kill('SIGKILL');
    const { code, signal } = await first.finished;
    expect(code === 0 && signal === null).toBe(false);
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(existsSync(join(first.dataDir, 'bulkhead', 'lock'))).toBe(true);
    await using second = await startSupervisor({ plan, namespace: true, folder: first.folder });
    await second.ready();
    expect((await second.status()).services.map(({ generation }) => generation)).toEqual([1, 1]);
    expect(await second.stop()).toEqual({ code: 0, signal: null });
  },
);

test.runIf(isRoot)(
  'law 29: as a plain user on a read-only disk without capabilities it writes in its data folder alone',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-locked-'));
    const dataDir = join(folder, 'data');
    mkdirSync(dataDir);
    chmodSync(folder, 0o755);
    chownSync(dataDir, 65534, 65534);
    try {
      await using bulkhead = await startSupervisor({
        folder,
        plan: 'version: 1\nservices:\n  app: { command: [sh, -c, "touch /tmp/mark || echo refused; exec sleep 1000"], ready: { log: refused } }\n',
        command: [
          'unshare',
          '--mount',
          'sh',
          '-c',
          // All is read-only but the data and a /run that executes nothing.
          `mount --bind ${dataDir} ${dataDir} && mount -o remount,bind,ro / && mount -t tmpfs -o noexec,mode=1777 none /run && exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --no-new-privs ${process.execPath} --disable-sigusr1 ${program} up`,
        ],
      });
      // Its control socket is on a /run of its own.
      await eventually('it is ready', async () =>
        bulkhead.probe('/readyz').then(
          ({ status }) => status === 200,
          () => false,
        ),
      );
      expect(bulkhead.log('app')).toContain('refused');
      expect(await bulkhead.stop()).toEqual({ code: 0, signal: null });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test('law 40: fifty restarts leave no descriptor and no process behind', async () => {
  await using bulkhead = await startSupervisor({
    plan: `
version: 1
services:
  app:
    command: [sh, -c, 'echo run >> {folder}/runs; test -e {folder}/stay && exec sleep 1000; echo over; exit 1']
    backoff: { initial: 1ms, max: 1ms, limit: 0 }
`,
  });
  await bulkhead.answers();
  const restarts = async () => (await bulkhead.status()).services[0]?.restarts ?? 0;
  await eventually('it has warmed up', async () => (await restarts()) > 10);
  const before = await restarts();
  await eventually('it has restarted fifty times more', async () => (await restarts()) > before + 50);
  writeFileSync(join(bulkhead.folder, 'stay'), '');
  await eventually('it stays', async () => (await bulkhead.status()).services[0]?.status === 'ready');
  await eventually('nothing else lives', () => listDescendants(bulkhead.pid).length === 1);
  const files = countOpenFiles(bulkhead.pid);
  await bulkhead.run('restart', 'app');
  await eventually('it is back', () => listDescendants(bulkhead.pid).length === 1);
  expect(countOpenFiles(bulkhead.pid)).toBe(files);
  expect(files).toBeLessThan(40);
});
