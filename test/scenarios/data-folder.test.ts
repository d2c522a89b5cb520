import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bulkhead as bulkheadProgram, runFolders, startSupervisor } from '../support/supervisor.ts';

const isRoot = process.geteuid?.() === 0;
/** Whom no folder belongs to. */
const STRANGER = 10_001;
const AS_STRANGER = ['setpriv', `--reuid=${STRANGER}`, `--regid=${STRANGER}`, '--clear-groups'];
const UP = [process.execPath, '--disable-sigusr1', bulkheadProgram, 'up'];
const PLAN = "version: 1\nservices: { app: { command: [sh, -c, 'echo here; exec sleep 1000'] } }";

describe('the data folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bulkhead-data-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('may be a link, and is one folder by whichever name', async () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'data'));
    await using first = await startSupervisor({ plan: PLAN, folder });
    await first.ready();
    await using second = await startSupervisor({
      plan: PLAN,
      folder,
      env: { BULKHEAD_DATA: join(folder, 'real') },
    });
    expect((await second.finished).code).toBe(75);
    expect(second.output()).toContain(`pid ${first.child.pid}`);
    expect((await first.stop()).code).toBe(0);
  });

  test.runIf(isRoot)('whose cluster is of a user namespace is not given to another user by a command', () => {
    const data = join(folder, 'data');
    mkdirSync(join(data, 'pg', '15', 'main'), { recursive: true });
    mkdirSync(join(data, 'backups', 'dump', 'one'), { recursive: true });
    symlinkSync('15/main', join(data, 'pg', 'current'));
    chownSync(join(data, 'backups'), STRANGER, STRANGER);
    writeFileSync(join(folder, 'plan.yaml'), 'version: 1\nname: shop\ndatabase: {}\nservices: {}\n');
    const owners = (): string => spawnSync('find', [data, '-printf', '%p %U\n'], { encoding: 'utf8' }).stdout;
    const before = owners();
    const { status, stderr } = spawnSync(
      process.execPath,
      [bulkheadProgram, 'backup', 'restore', 'latest', '--data', data, '--config', join(folder, 'plan.yaml')],
      { encoding: 'utf8' },
    );
    expect([status, stderr]).toEqual([
      5,
      expect.stringMatching(/its cluster belongs to root.*\n.*unshare --user/),
    ]);
    expect(owners().replace(/.*\/lock .*\n|.*bulkhead .*\n/g, '')).toBe(before);
  });

  test('that is no folder is refused with 13, named, before anything starts', async () => {
    writeFileSync(join(folder, 'data'), '');
    await using bulkhead = await startSupervisor({ plan: PLAN, folder });
    expect((await bulkhead.finished).code).toBe(13);
    expect(bulkhead.output()).toContain(
      `cannot use the data folder ${join(folder, 'data')}: it is no folder`,
    );
  });

  test('must be a volume where that is required, and nothing is made in its place', async () => {
    // The kernel's own files are on a mount, but in memory.
    await using bulkhead = await startSupervisor({
      plan: PLAN,
      folder,
      env: { BULKHEAD_REQUIRE_VOLUME: '1', BULKHEAD_DATA: '/dev/shm/bulkhead-no-volume' },
    });
    expect((await bulkhead.finished).code).toBe(13);
    expect(bulkhead.output()).toContain('/dev/shm/bulkhead-no-volume is not a volume');
  });

  test.for(['/proc/bulkhead-nowhere', '/sys/bulkhead-nowhere'])(
    'that cannot be made, as %s, is refused with 13',
    async (path) => {
      await using bulkhead = await startSupervisor({ plan: PLAN, folder, env: { BULKHEAD_DATA: path } });
      expect((await bulkhead.finished).code).toBe(13);
      expect(bulkhead.output()).toContain(`cannot use the data folder ${path}: `);
      expect(bulkhead.output()).toContain('fix: ');
    },
  );

  test.for(['/proc/bulkhead-nowhere', '/sys/bulkhead-nowhere', '/etc/passwd'])(
    'that is %s is refused by `npm start` too',
    (path) => {
      const start = join(import.meta.dirname, '..', '..', 'scripts', 'start.mjs');
      const { status, stderr } = spawnSync(process.execPath, [start], {
        env: { ...process.env, BULKHEAD_DATA: path },
        encoding: 'utf8',
        timeout: 60_000,
      });
      expect(status).toBe(13);
      expect(stderr).toContain(`error: cannot use the data folder ${path}: `);
      expect(stderr).toContain('fix: ');
      expect(stderr).not.toContain('    at ');
    },
  );

  test.runIf(isRoot)('of another user is refused with his uid, and how to get it', async () => {
    mkdirSync(join(folder, 'data'));
    chownSync(folder, STRANGER, STRANGER);
    await using bulkhead = await startSupervisor({ plan: PLAN, folder, command: [...AS_STRANGER, ...UP] });
    expect((await bulkhead.finished).code).toBe(13);
    expect(bulkhead.output()).toContain('it belongs to uid 0, and we are uid 10001');
    expect(bulkhead.output()).toContain(`chown -R 10001:10001 ${join(folder, 'data')}`);
  });

  test.runIf(isRoot)('whose lock another user made is refused with the same fix', async () => {
    mkdirSync(join(folder, 'data', 'bulkhead'), { recursive: true });
    for (const path of ['', 'data', 'data/bulkhead']) chownSync(join(folder, path), STRANGER, STRANGER);
    writeFileSync(join(folder, 'data', 'bulkhead', 'lock'), '', { mode: 0o600 });
    await using bulkhead = await startSupervisor({ plan: PLAN, folder, command: [...AS_STRANGER, ...UP] });
    expect((await bulkhead.finished).code).toBe(13);
    expect(bulkhead.output()).toContain(`${join(folder, 'data', 'bulkhead', 'lock')} belongs to uid 0`);
    expect(bulkhead.output()).toContain(`chown -R 10001:10001 ${join(folder, 'data')}`);
  });

  test.runIf(isRoot)('that is mounted read-only is refused with these words', async () => {
    mkdirSync(join(folder, 'data'));
    const data = join(folder, 'data');
    const mounted = `mount -t tmpfs -o ro none ${data} && exec "$@"`;
    const command = ['unshare', '--mount', 'sh', '-c', mounted, 'sh', ...UP];
    await using bulkhead = await startSupervisor({ plan: PLAN, folder, command });
    expect((await bulkhead.finished).code).toBe(13);
    expect(bulkhead.output()).toContain(`cannot use the data folder ${data}: it is mounted read-only`);
  });

  test('leaves nothing under /tmp, whether it ran or was refused', async () => {
    {
      await using bulkhead = await startSupervisor({ plan: PLAN, folder });
      await bulkhead.ready();
      // Beside this one it cannot have /run/bulkhead, unless that was somebody else's and has just become free.
      const other = join(folder, 'other');
      await using second = await startSupervisor({ plan: PLAN, folder, env: { BULKHEAD_DATA: other } });
      await second.ready();
      expect(runFolders(other).length).toBeLessThanOrEqual(1);
      expect((await second.stop()).code).toBe(0);
      expect(runFolders(other)).toEqual([]);
      expect((await bulkhead.stop()).code).toBe(0);
    }
    await using refused = await startSupervisor({ plan: 'version: 1\nservices: 3', folder });
    expect((await refused.finished).code).toBe(13);
    expect(runFolders(refused.dataDir)).toEqual([]);
  });
});
