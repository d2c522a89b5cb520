import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { takeLock } from '../../src/system/lock.ts';
import { findIdentity } from '../../src/system/users.ts';
import { type Descendant, eventually, listDescendants } from '../support/descendants.ts';
import { makeEmptyVolume, type TestVolume } from '../support/postgres.ts';

let volume: TestVolume;
beforeEach(async () => {
  volume = await makeEmptyVolume();
});
afterEach(() => volume.remove());

const isRoot = process.geteuid?.() === 0;
const data = (...parts: string[]): string => join(volume.dataDir, ...parts);
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
function serverUser(): { uid?: number; gid?: number } {
  if (!isRoot) return {};
  const { uid, gid } = findIdentity('postgres');
  return { uid, gid };
}
function lastThread(pid: number): number {
  return Math.max(...readdirSync(`/proc/${pid}/task`).map(Number));
}
function onlyChild(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
}
function isZombie(pid: number): boolean {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
}
function pidFile(): string {
  return data('pg', 'current', 'postmaster.pid');
}

describe('the task `cluster`', () => {
  test('lays out the volume, with nobody else in what is private', async () => {
    expect((await volume.run('cluster')).code).toBe(0);
    expect(readdirSync(volume.dataDir).sort()).toEqual(
      ['assets', 'backups', 'bulkhead', 'config', 'import', 'logs', 'pg', 'secrets', 'wal'].sort(),
    );
    expect([mode(data('secrets')), mode(data('pg')), mode(data('secrets', 'app_password'))]).toEqual([
      '700',
      '700',
      '600',
    ]);
    expect(readlinkSync(data('pg', 'current'))).toMatch(/^\d+\/main$/);
    expect(readFileSync(data('secrets', 'app_password'), 'utf8')).toMatch(/^[\w-]{43}\n$/);
    const identity = JSON.parse(readFileSync(data('bulkhead', 'identity.json'), 'utf8'));
    expect(identity).toMatchObject({
      layout: 1,
      everHadData: true,
      systemIdentifier: expect.stringMatching(/^\d{19}$/),
    });
    if (isRoot) expect(statSync(data('pg', 'current', '')).uid).toBe(findIdentity('postgres').uid);
  });

  test('changes nothing the second time', async () => {
    await volume.run('cluster');
    const before = [
      readFileSync(data('bulkhead', 'identity.json')),
      readFileSync(data('secrets', 'app_password')),
    ];
    const again = await volume.run('cluster');
    expect([again.code, again.stderr]).toEqual([0, '']);
    expect([
      readFileSync(data('bulkhead', 'identity.json')),
      readFileSync(data('secrets', 'app_password')),
    ]).toEqual(before);
  });

  test('law 21: sweeps a half-made cluster and makes a whole one', async () => {
    let family: readonly Descendant[] = [];
    const killed = await volume.run('cluster', {
      onReport: (_, child) => {
        // In the middle of initdb: the stage is there and PG_VERSION is written.
        const watch = setInterval(() => {
          const stage = readdirSync(data('pg')).find((name) => name.startsWith('.stage-init'));
          if (stage === undefined || !existsSync(data('pg', stage, 'main', 'PG_VERSION'))) return;
          clearInterval(watch);
          // As when PID 1 dies: initdb and what it has started go with the program, and write nothing any more.
          family = listDescendants(child.pid ?? 0);
          for (const { pid } of family) killIfThere(pid);
          child.kill('SIGKILL');
        }, 5);
        child.once('close', () => clearInterval(watch));
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    await eventually('initdb is gone', () => !family.some(({ pid }) => existsSync(`/proc/${pid}/fd/0`)));
    expect(readdirSync(data('pg')).filter((name) => !name.startsWith('.stage'))).toEqual([]);
    expect((await volume.boot()).code).toBe(0);
    expect(readdirSync(data('pg')).filter((name) => name.startsWith('.stage'))).toEqual([]);
  });

  test('leaves the scratch cluster of a verification that goes on, and sweeps that of one that was killed', async () => {
    expect((await volume.run('cluster')).code).toBe(0);
    const stage = data('pg', '.stage-verify-0a1b2c3d');
    mkdirSync(stage);
    const lock = takeLock(data('backups', 'lock'));
    expect((await volume.run('cluster')).code).toBe(0);
    expect(existsSync(stage)).toBe(true);
    lock?.release();
    expect((await volume.run('cluster')).code).toBe(0);
    expect(existsSync(stage)).toBe(false);
  });

  test('beside the server that runs changes nothing: its socket stays, and no cluster takes its place', async () => {
    expect((await volume.boot()).failure).toBeUndefined();
    const rendered = readdirSync(join(volume.runDir, 'pg', 'config')).sort();
    const asked = { schema: 1, op: 'restore', step: 'flip', from: 15, to: 15, stage: '.stage-restore-0a' };
    const startedAt = new Date().toISOString();
    writeFileSync(
      data('pg', 'op.json'),
      JSON.stringify({ ...asked, startedAt, readyAt: startedAt, what: 'restore of it' }),
    );
    const again = await volume.run('cluster');
    expect(again.failure).toBeUndefined();
    expect(again.notes.join()).toContain('restart --dependents cluster');
    expect(await volume.admin('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(readdirSync(join(volume.runDir, 'pg', 'config')).sort()).toEqual(rendered);
    expect(existsSync(data('pg', 'op.json'))).toBe(true);
    rmSync(data('pg', 'op.json'));
    expect((await volume.run('cluster')).notes).toEqual([]);
    expect(await volume.admin('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('deletes what went out of use a week ago, but not in a start that settled an operation', async () => {
    expect((await volume.run('cluster')).code).toBe(0);
    const kept = data('pg', 'trash', '20200101T000000Z-restore', '15', 'main');
    mkdirSync(kept, { recursive: true });
    const startedAt = new Date(Date.now() - 3_600_000).toISOString();
    const asked = { schema: 1, op: 'upgrade', step: 'asked', from: 15, to: 18, stage: '.stage-upgrade-0a' };
    writeFileSync(data('pg', 'op.json'), JSON.stringify({ ...asked, startedAt, what: 'upgrade' }));
    expect((await volume.run('cluster')).failure).toBeUndefined();
    expect([existsSync(data('pg', 'op.json')), existsSync(kept)]).toEqual([false, true]);
    expect((await volume.run('cluster')).code).toBe(0);
    expect(existsSync(kept)).toBe(false);
  });

  test('refuses to make a new one where a volume has lost its own', async () => {
    await volume.run('cluster');
    rmSync(data('pg'), { recursive: true });
    const ended = await volume.run('cluster');
    expect(ended.code).toBe(12);
    expect(ended.failure).toContain('cannot create a cluster: this volume has had one since');
    expect(existsSync(data('pg'))).toBe(false);
  });

  test('refuses a cluster that is not whole, and leaves it alone', async () => {
    await volume.run('cluster');
    const broken = join(data('pg'), readlinkSync(data('pg', 'current')), 'global', 'pg_control');
    rmSync(broken);
    const ended = await volume.run('cluster');
    expect(ended.code).toBe(12);
    expect(ended.failure).toContain('global/pg_control is missing, so it is not whole');
  });

  test('says whose permission is missing where the volume cannot be written', async () => {
    rmSync(volume.dataDir, { recursive: true });
    writeFileSync(volume.dataDir, 'a file');
    expect((await volume.run('cluster')).failure).toContain('cannot make the folder');
  });
});

describe('the service `database`', () => {
  test('keeps the pid it was started with, and no descriptor of ours', async () => {
    await volume.run('cluster');
    const pid = await volume.startServer();
    expect(readFileSync(`/proc/${pid}/comm`, 'utf8').trim()).toBe('postgres');
    expect(readFileSync(pidFile(), 'utf8').split('\n')[0]).toBe(String(pid));
    const fds = readdirSync(`/proc/${pid}/fd`).map((fd) => `${fd} ${readlinkSync(`/proc/${pid}/fd/${fd}`)}`);
    // stdin, stdout, stderr; postgres opens an epoll, a signalfd, its listeners and the two ends of its death watch.
    const foreign = fds.filter(
      (fd) => !/^[012] |anon_inode:\[(eventpoll|signalfd)\]|socket:|pipe:|\/data\/pg\//.test(fd),
    );
    expect(foreign).toEqual([]);
    const sockets = fds.filter((fd) => /socket:/.test(fd) && !/^[012] /.test(fd));
    // 127.0.0.1, ::1 where it exists, the unix socket: fd 3 of ours would be one more.
    const listeners =
      readFileSync(pidFile(), 'utf8').length > 0 &&
      existsSync('/proc/net/if_inet6') &&
      readFileSync('/proc/net/if_inet6', 'utf8') !== ''
        ? 3
        : 2;
    expect(sockets).toHaveLength(listeners);
  });

  test('listens on the loopback only, and trusts nobody without a password', async () => {
    await volume.boot();
    const [row] = await volume.admin<{ listen_addresses: string }>('SHOW listen_addresses');
    expect(
      row?.listen_addresses.split(',').filter((address) => !['127.0.0.1', '::1'].includes(address)),
    ).toEqual([]);
    const [rules] = await volume.admin<{ methods: string }>(
      `SELECT string_agg(DISTINCT auth_method, ',' ORDER BY auth_method) AS methods FROM pg_hba_file_rules WHERE error IS NULL`,
    );
    expect(rules?.methods).toBe('peer,scram-sha-256');
  });

  test.each([
    ['that is garbage', 'not a pid\nat all'],
    ['that is empty', ''],
  ])('case 11: starts over a lock file %s', async (_, content) => {
    await volume.run('cluster');
    writeFileSync(pidFile(), content);
    await volume.startServer();
    expect(await volume.stopServer()).toBe(0);
  });

  /** Of the server's own user, for whom alone kill(pid, 0) says that it lives. */
  test.each([
    [
      'process',
      [process.execPath, '-e', 'console.log("up"); setInterval(() => {}, 1e6)'],
      (pid: number) => pid,
    ],
    [
      'thread of a process',
      [process.execPath, '-e', 'console.log("up"); setInterval(() => {}, 1e6)'],
      lastThread,
    ],
    ['zombie', ['sh', '-c', 'sleep 0.01 & echo up; exec sleep 60'], onlyChild],
  ])('case 11: starts over the lock file of a live %s that is no server', async (_, command, pick) => {
    await volume.run('cluster');
    const [program = '', ...args] = command;
    const other = spawn(program, args, { ...serverUser(), stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await once(other.stdout, 'data');
      const pid = pick(other.pid ?? 0);
      await eventually('it is what it shall be', () => command[0] !== 'sh' || isZombie(pid));
      writeFileSync(pidFile(), `${pid}\n${data('pg', 'current')}\n1\n`);
      await volume.startServer();
      expect(await volume.stopServer()).toBe(0);
      expect(existsSync(`/proc/${pid}`)).toBe(true);
    } finally {
      other.kill('SIGKILL');
    }
  });

  test('law 39: stops a server of an earlier life before it starts', async () => {
    await volume.run('cluster');
    const first = await volume.startServer();
    const second = await volume.startServer();
    expect(second).not.toBe(first);
    expect(existsSync(`/proc/${first}/exe`)).toBe(false);
  });

  test('starts after a kill -9 of the postmaster, says that it recovers, and counts it', async () => {
    await volume.boot();
    await volume.stopServer('SIGKILL');
    await volume.startServer();
    expect(await volume.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(volume.serverLog).toContain('not shut down cleanly (it was \\"in production\\"), so it recovers');
    await volume.stopServer();
    await volume.startServer();
    expect(volume.serverLog).not.toContain('not shut down cleanly');
    const { result } = await volume.run('database-status');
    expect(result).toMatchObject({ uncleanStops: { count: 1, lastAt: expect.stringMatching(/^20/) } });
  });

  test.each([
    ["work_mem = '7XB'", 'invalid value for parameter "work_mem": "7XB"'],
    ["no_such_setting = 'x'", 'unrecognized configuration parameter "no_such_setting" in file'],
    ['work_mem 7MB and more', 'syntax error in file'],
  ])('refuses %s of a person at once, with its file', async (line, complaint) => {
    await volume.run('cluster');
    const file = data('config', 'postgresql.d', 'mine.conf');
    mkdirSync(dirname(file));
    writeFileSync(file, `jit = off\n${line}\n`);
    const ended = await volume.run('database', { plan: { settings: {} } });
    expect(ended.code).toBe(13);
    expect(ended.failure).toContain(complaint);
    expect(ended.failure).toContain(dirname(file));
    if (!complaint.startsWith('invalid'))
      expect(ended.failure).toMatch(/mine\.conf" line 2|mine\.conf" line 3/);
  });

  test('obeys the plan before its own tuning, and the volume before the plan', async () => {
    await volume.run('cluster');
    mkdirSync(data('config', 'postgresql.d'));
    writeFileSync(data('config', 'postgresql.d', 'mine.conf'), "work_mem = '7MB'\nlisten_addresses = '*'\n");
    await volume.startServer({ plan: { settings: { work_mem: '9MB', max_connections: '44' } } });
    const [row] = await volume.admin(
      `SELECT current_setting('work_mem') AS work_mem, current_setting('max_connections') AS connections, current_setting('listen_addresses') = '*' AS open`,
    );
    expect(row).toEqual({ work_mem: '7MB', connections: '44', open: false });
  });

  test('says what to do where there is no cluster', async () => {
    mkdirSync(data('pg'), { recursive: true });
    const ended = await volume.run('database');
    expect(ended.code).toBe(12);
  });
});

describe('where npm brought the only PostgreSQL', () => {
  const env = { BULKHEAD_POSTGRES_BIN: 'embedded' };

  test('everything works but archives, which name the package to install', async () => {
    mkdirSync(data('import'));
    const file = data('import', 'custom');
    writeFileSync(file, Buffer.concat([Buffer.from('PGDMP'), Buffer.from([1, 14, 0]), Buffer.alloc(64)]));
    const refused = await volume.boot({ env });
    expect(refused.code).toBe(12);
    expect(refused.failure).toMatch(
      /it is an archive, and here is no pg_restore to read it\n {2}install the package postgresql-client-\d+/,
    );
    rmSync(file);
    expect((await volume.run('setup', { env })).code).toBe(0);
    expect(await volume.query(`SELECT current_setting('server_version_num')::int >= 160000 AS new`)).toEqual([
      { new: true },
    ]);
    // Its own collation provider has a version too.
    await volume.admin(`UPDATE pg_database SET datcollversion = '0' WHERE datname = 'tools'`);
    expect((await volume.run('setup', { env })).notes.join()).toContain('the order of text has changed');
    expect((await volume.run('setup', { env })).notes).toEqual([]);
    expect(await volume.stopServer()).toBe(0);
  });
});
