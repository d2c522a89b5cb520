import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Failure } from '../../src/base/errors.ts';
import type { DatabaseStatus } from '../../src/protocol/database-status.ts';
import { openControlServer } from '../../src/supervisor/control/server.ts';
import { realClock } from '../support/clock.ts';
import { startTyping, type TypingOptions, type } from '../support/command-line.ts';
import {
  type FakeTarget,
  fakeTarget,
  type OpenedControl,
  openControl,
  socketFiles,
} from '../support/control-target.ts';
import { degradedProduct, exampleProduct, exampleService } from '../support/product.ts';

let target: FakeTarget;
let control: OpenedControl;

beforeEach(async () => {
  target = fakeTarget();
  control = await openControl(target);
});
afterEach(() => control[Symbol.asyncDispose]());

/** One command line as a person types it, words split at blanks. */
function typed(line: string, options?: TypingOptions) {
  return type([...line.split(' '), '--socket', control.path], options);
}

const app = (text: string) =>
  ({ time: '2026-01-01T00:00:00.000Z', service: 'app', stream: 'stdout', line: text }) as const;

describe('status', () => {
  test.each([60, 100, 140])('fits %d columns while all is well', async (columns) => {
    const { code, out } = await typed('status', { columns, env: { NO_COLOR: '1' } });
    expect(code).toBe(0);
    expect(Math.max(...out.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(columns);
    expect(out).toMatchSnapshot();
  });

  test.each([60, 100, 140])('fits %d columns while the app crashes', async (columns) => {
    target.setProduct(degradedProduct());
    for (const text of [
      'listening',
      'Error: connect ECONNREFUSED 127.0.0.1:5432',
      '\x1b[31mred\x1b[0m \x1b]0;title\x07bye',
    ]) {
      target.write(app(text));
    }
    const { code, out } = await typed('status', { columns, env: { NO_COLOR: '1' } });
    expect(code).toBe(1);
    expect(Math.max(...out.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(columns);
    expect(out).toMatchSnapshot();
  });

  test('is plain and whole in a pipe, reason first and hint last', async () => {
    target.setProduct(degradedProduct());
    const { out } = await typed('status');
    expect(out).not.toContain('\x1b');
    expect(out.split('\n')[0]).toBe(`✖ ${degradedProduct().reason}`);
    expect(out.trimEnd().split('\n').at(-1)).toBe('see why: bulkhead logs app --tail 50');
  });

  test('has colour on a terminal, unless told otherwise', async () => {
    expect((await typed('status', { columns: 100 })).out).toContain('\x1b[32m');
    expect((await typed('status --no-color', { columns: 100 })).out).not.toContain('\x1b');
    expect((await typed('status', { columns: 100, env: { TERM: 'dumb' } })).out).not.toContain('\x1b');
  });

  test('is the supervisor’s own shape as JSON, with the same exit code', async () => {
    target.setProduct(degradedProduct());
    const { code, out } = await typed('status --json', { columns: 100 });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject(JSON.parse(JSON.stringify(degradedProduct())));
  });

  test.each([
    ['is ready', 'ready', 0],
    ['is stopped', 'stopped', 3],
    ['has failed', 'failed', 1],
  ] as const)('of a service that %s ends accordingly', async (_what, status, expected) => {
    target.set('app', { status });
    expect((await typed('status app')).code).toBe(expected);
    expect((await typed('status app --json')).code).toBe(expected);
  });

  test('of a service there is none of ends 4 and knows what was meant', async () => {
    const { code, err } = await typed('status databse');
    expect(code).toBe(4);
    expect(err).toBe(
      'error: cannot find service "databse": the plan has no such service\nfix: did you mean "database"?\n',
    );
  });

  test('asks whichever volume is meant, and finds no supervisor of another', async () => {
    const { code, err } = await type(['status', '--data', '/nowhere/data']);
    expect(code).toBe(7);
    expect(err).toContain('nothing runs on /nowhere/data');
  });
});

describe('a supervisor that is not there', () => {
  test('is said with cause, fact and fix, and ends 7', async () => {
    const { code, out, err } = await type(['status', '--socket', '/nowhere/control.sock']);
    expect({ code, out, err }).toMatchInlineSnapshot(`
      {
        "code": 7,
        "err": "error: cannot reach the supervisor at /nowhere/control.sock: no such file
      fix: start it with: bulkhead up. If it runs, name its volume with --data DIR; to look closer: bulkhead doctor
      ",
        "out": "",
      }
    `);
  });

  test('is JSON where JSON was asked for', async () => {
    const { code, out } = await type(['status', '--json', '--socket', '/nowhere/control.sock']);
    expect(code).toBe(7);
    expect(JSON.parse(out)).toMatchObject({ schemaVersion: 1, error: { code: 'unreachable', exitCode: 7 } });
  });
});

describe('a change', () => {
  test('says what changed, for how long it was up, how it ended, and what next', async () => {
    target.set('app', { since: new Date(Date.UTC(2025, 11, 31, 20, 48)).toISOString() });
    target.onAsked = () =>
      target.set('app', {
        status: 'stopped',
        pid: undefined,
        lastExit: { code: 0, signal: null, at: '2026-01-01T00:00:00.000Z' },
      });
    const { code, out } = await typed('stop app');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^stopped app \(was up 3 h 1[12] min.*, exit 0, \d+ ms\)\. Start again: bulkhead start app\n$/,
    );
  });

  test('that leaves others without what they need says who', async () => {
    target.neededBy = (name) => (name === 'database' ? ['app', 'worker'] : []);
    target.onAsked = () => {
      target.set('database', { status: 'stopped', pid: undefined });
      target.set('app', { status: 'stopped', pid: undefined });
    };
    expect((await typed('stop database')).out).toMatch(
      /^stopped database \(.*\)\. app, worker need database and were left running\. Start again: bulkhead start database\n$/,
    );
    target.set('database', { status: 'ready', pid: 3 });
    target.set('app', { status: 'ready', pid: 4 });
    expect((await typed('stop database app')).out).toMatch(/worker needs database and was left running/);
  });

  test('that had to kill says so', async () => {
    target.onAsked = () =>
      target.set('app', {
        status: 'stopped',
        pid: undefined,
        lastExit: { code: null, signal: 'SIGKILL', at: 'now' },
      });
    expect((await typed('stop app')).out).toContain('had to be killed');
  });

  test('that fails ends 1 and shows the last line', async () => {
    target.onAsked = () =>
      target.set('app', {
        status: 'backoff',
        generation: 2,
        reason: 'exit 1, next start in 1 s',
        lastLine: 'boom',
      });
    const { code, out } = await typed('restart app');
    expect(code).toBe(1);
    expect(out).toBe(
      'app did not become ready: backoff (exit 1, next start in 1 s); last line: boom. See why: bulkhead logs app --tail 50\n',
    );
  });

  test('that takes too long ends 124', async () => {
    const { code, out } = await typed('restart app --timeout 20ms');
    expect(code).toBe(124);
    expect(out).toContain('app is still ready after');
  });

  test('that nobody waits for is only asked', async () => {
    const { code, out } = await typed('stop app --no-wait');
    expect(code).toBe(0);
    expect(out).toBe('asked to stop: app. See how it goes: bulkhead status app\n');
  });

  test('of a disabled service is refused with 5', async () => {
    target.set('app', { status: 'disabled', reason: 'tier full' });
    const { code, err } = await typed('start app');
    expect(code).toBe(5);
    expect(err).toContain('cannot start app: it is disabled (tier full)');
  });

  test('is JSON with the same exit code', async () => {
    target.onAsked = () => target.set('app', { status: 'failed', generation: 2 });
    const { code, out } = await typed('restart app --json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ schemaVersion: 1, action: 'restart', exitCode: 1 });
  });

  test('of the migrations runs their task again', async () => {
    target.setProduct(
      exampleProduct({
        services: [exampleService('migrate', { kind: 'task', status: 'done', pid: undefined })],
      }),
    );
    target.onAsked = () => target.set('migrate', { generation: 2, startedIn: 300 });
    const { code, out } = await typed('db migrate');
    expect(code).toBe(0);
    expect(target.asked).toEqual(['restart migrate']);
    expect(out).toMatch(/^restarted migrate \(done, .*\)\. Its output: bulkhead logs migrate\n$/);
  });
});

describe('logs', () => {
  test('show the newest lines with the service before them', async () => {
    target.write(app('one'));
    target.write({ ...app('two'), service: 'database' });
    expect((await typed('logs')).out).toBe('app | one\ndatabase | two\n');
    expect((await typed('logs app database --tail 1')).out).toBe('database | two\n');
    expect((await typed('logs app --no-prefix -t')).out).toBe('2026-01-01T00:00:00.000Z one\n');
  });

  test('show a JSON record as what it says, and leave it as it is with --json', async () => {
    const record =
      '{"level":50,"time":1,"pid":7,"hostname":"x","msg":"no room\\u001b[2J","file":"a b.sql","rows":3}';
    target.write(app(record));
    expect((await typed('logs')).out).toBe('app | ERROR no room file="a b.sql" rows=3\n');
    expect(JSON.parse((await typed('logs --json')).out).line).toBe(record);
  });

  test('are read from the volume when the supervisor is gone, and say so', async () => {
    const data = mkdtempSync(join(tmpdir(), 'bh-'));
    mkdirSync(join(data, 'logs'));
    const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`;
    writeFileSync(join(data, 'logs', 'app.log'), `${at(1)} stdout F one\n${at(3)} stderr F three\n`);
    writeFileSync(join(data, 'logs', 'database.log'), `${at(2)} stdout F two\ntorn`);
    try {
      const ask = (...more: string[]) => type(['logs', '--data', data, '--no-prefix', ...more]);
      expect(await ask()).toEqual({
        code: 0,
        out: 'one\ntwo\nthree\n',
        err: `no supervisor runs on ${data}: these lines are from ${data}/logs\n`,
      });
      expect((await ask('--tail', '1')).out).toBe('three\n');
      expect((await ask('--since', at(2), '--grep', 'w')).out).toBe('two\n');
      expect((await ask('app')).out).toBe('one\nthree\n');
      expect(await ask('nobody')).toMatchObject({ code: 7, out: '' });
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  });

  test('search among all that is kept', async () => {
    for (let index = 0; index < 300; index += 1) target.write(app(`line ${index}`));
    expect((await typed('logs --no-prefix --grep ^line.7$')).out).toBe('line 7\n');
    expect((await typed('logs --no-prefix')).out.split('\n')).toHaveLength(101);
  });

  test('leave nothing of a service’s line that a terminal would obey', async () => {
    target.write(app('\x1b[2J\x1b[31mred\x1b[0m\x07\x1b]0;pwned\x07\x9b31m'));
    expect((await typed('logs --no-prefix')).out).toBe('red31m\n');
    expect((await typed('logs --no-prefix', { columns: 80 })).out).toBe('\x1b[31mred\x1b[0m31m\x1b[0m\n');
  });

  test('follow until Ctrl-C, which is a quiet end', async () => {
    const typing = startTyping(['logs', '-f', '--socket', control.path], {
      onOut: (text) => {
        if (text.includes('later')) typing.interrupt('SIGINT');
      },
    });
    await expect.poll(() => target.followers.logs).toBe(1);
    target.write(app('later'));
    expect(await typing.done).toEqual({ code: 0, out: 'app | later\n', err: '' });
    await expect.poll(() => target.followers.logs).toBe(0);
  });

  test('follow until their reader goes away, which is a quiet end too', async () => {
    const typing = startTyping(['logs', '-f', '--socket', control.path]);
    await expect.poll(() => target.followers.logs).toBe(1);
    typing.hangUp();
    expect(await typing.done).toMatchObject({ code: 0, err: '' });
  });

  test('follow until the supervisor goes', async () => {
    const typing = startTyping(['logs', '-f', '--json', '--socket', control.path]);
    await expect.poll(() => target.followers.logs).toBe(1);
    target.write(app('last'));
    await control.server.close();
    expect(JSON.parse((await typing.done).out)).toEqual(app('last'));
  });

  test.each([
    ['--tail many', '--tail must be a number of lines, not "many"'],
    ['--since soon', '--since must be a duration or a time, not "soon"'],
    ['--grep (', '--grep is not a regular expression'],
    ['--tail', '--tail needs a value'],
  ])('refuse %s with 2', async (options, message) => {
    const { code, err } = await type(['logs', '--socket', control.path, ...options.split(' ')]);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe('events', () => {
  test('are told in order, each on a line', async () => {
    target.events.append({ type: 'spawned', service: 'app', generation: 1, pid: 58 });
    target.set('app', { status: 'unhealthy' });
    target.events.append({
      type: 'exited',
      service: 'app',
      generation: 1,
      code: null,
      signal: 'SIGKILL',
      asked: false,
    });
    target.events.append({ type: 'booted', ms: 3210 });
    expect((await typed('events')).out).toMatchInlineSnapshot(`
      "     1 00:00:00.000  app started, pid 58, generation 1
           2 00:00:00.000  app ready → unhealthy
           3 00:00:00.000  app ended: killed by SIGKILL
           4 00:00:00.000  everything is ready after 3.2 s
      "
    `);
    expect((await typed('events --since 3 --json')).out).toBe(
      '{"seq":4,"at":"2026-01-01T00:00:00.000Z","type":"booted","ms":3210}\n',
    );
  });
});

describe('health', () => {
  test('is 0 while the product serves, with or without warnings', async () => {
    expect(await typed('health')).toMatchObject({ code: 0, out: 'healthy\n' });
    target.setProduct(exampleProduct({ overall: 'warn', reason: 'degraded: backup is late' }));
    expect(await typed('health')).toMatchObject({ code: 0, out: 'degraded: backup is late\n' });
  });

  test('is 1 while it does not, in every format', async () => {
    target.setProduct(degradedProduct());
    expect((await typed('health')).code).toBe(1);
    const { code, out } = await typed('health --json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ schemaVersion: 1, level: 'ready', ok: false, status: 'fail' });
  });

  test('asks only for life with --level live', async () => {
    target.setProduct(degradedProduct());
    expect(await typed('health --level live')).toMatchObject({ code: 0 });
  });

  test('is 1 and nothing else when nobody answers', async () => {
    const { code, out } = await type(['health', '--socket', '/nowhere/x.sock'], {
      env: { BULKHEAD_PORT: '1' },
    });
    expect(code).toBe(1);
    expect(out).toContain('unhealthy: cannot reach the supervisor at /nowhere/x.sock: no such file');
  });

  test('knows the nearest level', async () => {
    const { code, err } = await typed('health --level redy');
    expect(code).toBe(2);
    expect(err).toContain('fix: did you mean ready?');
  });
});

describe('wait', () => {
  test('ends at once when it is so already', async () => {
    expect(await typed('wait')).toMatchObject({ code: 0, out: 'ready after 0 ms\n' });
  });

  test('ends with the event that makes it so', async () => {
    target.setProduct(degradedProduct());
    const typing = startTyping(['wait', '--for', 'ready', '--timeout', '20s', '--socket', control.path]);
    await expect.poll(() => target.followers.events).toBe(1);
    target.set('app', { status: 'starting' });
    target.setProduct(exampleProduct());
    target.set('app', { status: 'ready' });
    expect((await typing.done).code).toBe(0);
  });

  test('waits for single services', async () => {
    target.set('app', { status: 'starting' });
    const typing = startTyping(['wait', 'app', '--timeout', '20s', '--socket', control.path]);
    await expect.poll(() => target.followers.events).toBe(1);
    target.set('app', { status: 'ready' });
    expect(await typing.done).toMatchObject({ code: 0, out: 'app ready after 0 ms\n' });
  });

  test('waits on where the supervisor is replaced by another', async () => {
    target.setProduct(degradedProduct());
    const typing = startTyping(['wait', '--timeout', '20s', '--socket', control.path]);
    await expect.poll(() => target.followers.events).toBe(1);
    await control.server.close();
    const next = await openControlServer(fakeTarget(), [control.path], {
      clock: realClock,
      files: socketFiles,
    });
    expect((await typing.done).code).toBe(0);
    await next.close();
  });

  test('gives up with 124 and says what it waited for', async () => {
    target.setProduct(degradedProduct());
    const { code, err } = await typed('wait --timeout 30ms');
    expect(code).toBe(124);
    expect(err).toMatch(/^timed out after .*: not ready; degraded: app crashed 3 times/);
  });

  test('waits for a supervisor that is not there yet, and gives up with 124', async () => {
    const { code, err } = await type(['wait', '--timeout', '30ms', '--socket', '/nowhere/x.sock']);
    expect(code).toBe(124);
    expect(err).toContain('cannot reach the supervisor at /nowhere/x.sock');
  });

  test('does not wait for a service there is none of', async () => {
    expect((await typed('wait ap --timeout 20s')).code).toBe(4);
  });
});

describe('exec', () => {
  test('carries bytes both ways and ends as the command did', async () => {
    const argv = ['exec', '--socket', control.path, 'app', '--', 'sh', '-c', 'cat; echo oops >&2; exit 7'];
    expect(await type(argv, { stdin: 'héllo' })).toEqual({ code: 7, out: 'héllo', err: 'oops\n' });
  });

  test('leaves options behind the service to the command', async () => {
    const { out } = await type([
      'exec',
      '--socket',
      control.path,
      'app',
      'sh',
      '-c',
      'echo "$@"',
      'sh',
      '--json',
      '--',
      '-h',
    ]);
    expect(out).toBe('--json -- -h\n');
  });

  test('passes signals on', async () => {
    const script = 'trap "echo caught; exit 3" TERM; echo up; while :; do sleep 0.05; done';
    const typing = startTyping(['exec', '--socket', control.path, 'app', '--', 'sh', '-c', script], {
      onOut: (text) => {
        if (text.includes('up')) typing.interrupt('SIGTERM');
      },
    });
    expect(await typing.done).toMatchObject({ code: 3, out: 'up\ncaught\n' });
  });

  test('ends with 128 and the signal', async () => {
    expect((await type(['exec', '--socket', control.path, 'app', '--', 'sh', '-c', 'kill -9 $$'])).code).toBe(
      137,
    );
  });

  test('takes the program down when its reader has gone', async () => {
    const start = target.exec;
    let exited: Promise<unknown> | undefined;
    target.exec = async (service, argv) => {
      const child = await start(service, argv);
      exited = child.exited;
      return child;
    };
    const typing = startTyping(
      ['exec', '--socket', control.path, 'app', '--', 'sh', '-c', 'echo up; sleep 100'],
      {
        onOut: () => typing.hangUp(),
      },
    );
    expect((await typing.done).code).toBe(0);
    expect(await exited).toEqual({ code: null, signal: 'SIGHUP' });
  });

  test('takes options of its own before and after the service', async () => {
    expect((await type(['exec', 'app', '--socket', control.path, '--', 'echo', 'hi'])).out).toBe('hi\n');
    expect((await type(['exec', 'app', '--socket', control.path, 'echo', '--socket'])).out).toBe(
      '--socket\n',
    );
  });

  test('says why a command cannot be started, though input is on its way', async () => {
    target.exec = async () => {
      throw new Failure('cannot run nothing: no such program', { exitCode: 1 });
    };
    const argv = ['exec', '--socket', control.path, 'app', '--', 'nothing'];
    const { code, err } = await type(argv, { stdin: 'x'.repeat(1_000_000) });
    expect(code).toBe(1);
    expect(err).toBe('error: cannot run nothing: no such program\n');
  });

  test('needs a command', async () => {
    const { code, err } = await type(['exec', '--socket', control.path, 'app']);
    expect(code).toBe(2);
    expect(err).toContain('write: bulkhead exec app -- COMMAND');
  });
});

describe('reload', () => {
  test('says what it changes', async () => {
    expect(await typed('reload --dry-run')).toMatchObject({
      code: 0,
      out: 'would change:\n  restart app (environment.PORT)\nDo it: bulkhead reload\n',
    });
    expect(target.asked).toEqual(['reload true']);
  });

  test('of a broken configuration ends 6 and shows it', async () => {
    target.reload = async () => {
      throw new Failure('cannot reload: core.yaml:4:5 unknown key "comand"', {
        exitCode: 6,
        remedy: 'did you mean command?',
      });
    };
    const { code, err } = await typed('reload');
    expect(code).toBe(6);
    expect(err).toContain('core.yaml:4:5');
  });
});

describe('db', () => {
  /** The set-up runs again when it is asked for. */
  function hasSetup(): void {
    const setup = exampleService('setup', { kind: 'task', status: 'done', pid: undefined });
    target.setProduct(exampleProduct({ services: [setup] }));
    target.onAsked = (what) => {
      if (what === 'restart tree setup') target.set('setup', { generation: 2, startedIn: 300 });
    };
  }

  test('import hands the file to PID 1 by its absolute path', async () => {
    hasSetup();
    const { code, out } = await typed('db import dumps/x.sql', { cwd: '/home/me' });
    expect(code).toBe(0);
    expect(target.asked).toEqual(['run import {"file":"/home/me/dumps/x.sql"}', 'restart tree setup']);
    expect(out).toBe(
      'imported /home/me/dumps/x.sql in 0 ms; set-up and migrations have run on it\nrows  7\n',
    );
  });

  test('import replaces only what somebody said yes to', async () => {
    hasSetup();
    const silent = await typed('db import --replace x.sql', { cwd: '/home/me' });
    expect(silent).toMatchObject({ code: 5, err: expect.stringContaining('nobody said yes') });
    expect(target.asked).toEqual([]);
    expect((await typed('db import --replace x.sql --yes', { cwd: '/home/me' })).code).toBe(0);
    expect(target.asked).toEqual([
      'run import {"file":"/home/me/x.sql","mode":"replace"}',
      'restart tree setup',
    ]);
  });

  test('import tells the way back to what was there', async () => {
    hasSetup();
    target.run = async (_program, _input, onReport) => {
      onReport({ type: 'result', value: { kept: 'shop_old' } });
      return 0;
    };
    const { out } = await typed('db import --replace --yes x.sql', {
      env: { BULKHEAD_COMMAND: 'npx bulkhead' },
    });
    expect(out).toContain(
      'back to what was there: npx bulkhead db rollback shop_old; rid of it: npx bulkhead db rollback --forget shop_old\n',
    );
  });

  test('import shows why it failed', async () => {
    target.run = async (_program, _input, onReport) => {
      onReport({ type: 'failure', message: 'cannot import x.sql: it is truncated', remedy: 'dump it again' });
      return 1;
    };
    const { code, err } = await typed('db import x.sql');
    expect(code).toBe(1);
    expect(err).toBe('error: cannot import x.sql: it is truncated\nfix: dump it again\n');
  });

  test.each([
    [5, 5],
    [2, 2],
    [12, 1],
    [143, 1],
  ])('import that its program ended with %i ends with %i', async (ended, code) => {
    target.run = async (_program, _input, onReport) => {
      onReport({
        type: 'failure',
        message: 'cannot import x.sql: the database is there already',
        remedy: 'replace it',
      });
      return ended;
    };
    expect(await typed('db import x.sql')).toMatchObject({
      code,
      err: 'error: cannot import x.sql: the database is there already\nfix: replace it\n',
    });
  });

  test('status shows the database, where its rows came from, and why each setting is as it is', async () => {
    const database: DatabaseStatus = {
      uncleanStops: { count: 0, lastAt: undefined },
      serverVersion: '17.6',
      cluster: '17/main',
      database: 'shop',
      user: 'shop_user',
      port: 5432,
      exists: true,
      size: 25_451_879,
      tables: 4,
      rows: 28_624,
      connections: 3,
      startedAt: '2026-01-02T03:04:05.000Z',
      kept: [],
      drifted: [],
      keptDatabases: [
        { name: 'tools_old_20261121T083501', since: '2026-11-21T08:35:01.000Z', bytes: 12_000_000 },
      ],
      ledger: [
        {
          id: 'import:abc',
          kind: 'import',
          at: '2026-01-02T03:04:06.000Z',
          detail: { file: '/data/import/shop.dump', rows: 28_624, format: 'custom archive' },
        },
      ],
      settings: [{ name: 'jit', value: 'off', source: 'tuned', reason: 'short queries lose by it' }],
    };
    target.run = async (_program, _input, onReport) => {
      onReport({ type: 'result', value: database });
      return 0;
    };
    expect(await typed('db status')).toMatchObject({
      code: 0,
      out: `database  shop of shop_user
server    PostgreSQL 17.6, port 5432, up 0 ms
cluster   17/main
content   24 MB, 4 tables, about 28,624 rows
sessions  3
imported  2026-01-02T03:04:06.000Z from /data/import/shop.dump (custom archive, 28,624 rows)
kept      tools_old_20261121T083501, a database of 11 MB, replaced 0 ms ago; back to it: bulkhead db rollback tools_old_20261121T083501; rid of it: bulkhead db rollback --forget tools_old_20261121T083501

SETTING  VALUE  FROM   WHY
jit      off    tuned  short queries lose by it
`,
    });
    expect(JSON.parse((await typed('db status --json')).out)).toEqual({ schemaVersion: 1, database });
  });
});
