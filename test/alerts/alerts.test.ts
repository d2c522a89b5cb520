import { createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type AlertsRoom, openAlerts } from '../../src/alerts/alerts.ts';
import { type Handout, post } from '../../src/alerts/post.ts';
import { ALERT_RULES, type AlertRule, RULE_NAMES } from '../../src/config/alert-rules.ts';
import type { AlertsPlan, SinkPlan } from '../../src/config/plan-alerts.ts';
import type { ProductStatus } from '../../src/protocol/status.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import { exampleProduct, exampleSelf, exampleService } from '../support/product.ts';
import { openSinkServer, type SinkServer } from '../support/sink-server.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const SECRET = 'a secret of more than sixteen characters';

let dataDir: string;
let clock: ManualClock;
let sink: SinkServer;
let status: ProductStatus | undefined;
let room: AlertsRoom;
let said: string[];
let handed: Handout[];
let worst: (string | undefined)[];
/** Looks that ask for the status just now, and how many there were at most. */
let asking = 0;
let mostAsking = 0;
const underWay = new Set<Promise<unknown>>();

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'bulkhead-alerts-'));
  mkdirSync(join(dataDir, 'bulkhead', 'alerts'), { recursive: true });
  clock = manualClock();
  sink = await openSinkServer();
  status = well();
  said = [];
  handed = [];
  worst = [];
  mostAsking = 0;
});
afterEach(async () => {
  await room.close();
  await sink[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});

function well(): ProductStatus {
  return { ...exampleProduct(), supervisor: exampleSelf };
}

function appIs(word: 'ready' | 'backoff'): ProductStatus {
  const app = exampleService('app', { status: word, reason: word === 'ready' ? '' : 'exit 1' });
  return { ...well(), services: [app] };
}

function open(changes: Partial<SinkPlan> = {}, plan: Partial<AlertsPlan> = {}): AlertsRoom {
  const ops: SinkPlan = {
    name: 'ops',
    type: 'webhook',
    url: `${sink.url}/hook?key=hidden`,
    secret: SECRET,
    minSeverity: 'warning',
    after: 'well',
    interval: MINUTE,
    ...changes,
  };
  room = openAlerts(
    {
      product: 'shop',
      rules: RULE_NAMES.filter((name) => !/^(Disk|Memory)/.test(name)).map((name) => {
        const rule: AlertRule = ALERT_RULES[name];
        return {
          name,
          severity: rule.severity,
          threshold: rule.threshold ?? 0,
          for: rule.for,
          keep: rule.keep,
        };
      }),
      sinks: [ops],
      sinksOff: [],
      repeat: 4 * 3600 * SECOND,
      backups: [],
      ...plan,
    },
    {
      clock,
      dataDir,
      concurrency: 3,
      status: async () => {
        asking += 1;
        mostAsking = Math.max(mostAsking, asking);
        await new Promise((resolve) => setImmediate(resolve));
        asking -= 1;
        return status ?? Promise.reject(new Error('away'));
      },
      lastLines: async () => [`the password is ${SECRET}`],
      post: (outgoing) => {
        const posted = post(outgoing, () => clock.now());
        underWay.add(posted);
        return posted.finally(() => underWay.delete(posted));
      },
      hand: async (handout) => {
        handed.push(handout);
        return { ok: true, error: '', retryAfter: undefined };
      },
      random: () => 1,
      newId: () => 'silence-1',
      name: 'shop',
      host: 'box',
      url: 'http://box:9701/alerts',
      secrets: [SECRET],
      say: (text) => said.push(text),
      reportWorst: (reason) => worst.push(reason),
    },
  );
  return room;
}

/** One look after the other, ten seconds apart; those of the room itself come before them. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 10 * SECOND) {
    clock.advance(10 * SECOND);
    await room.look();
    await settled();
  }
}

/** What was sent is answered. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  if (underWay.size === 0) return;
  await Promise.all(underWay);
  await settled();
}

const bodies = () => sink.got.map(({ body }) => JSON.parse(body));

test('a command is handed the JSON of a webhook, with the newest lines, and no secret', async () => {
  open({ name: 'pager', type: 'exec', url: '', secret: undefined });
  await pass(20 * SECOND);
  status = appIs('backoff');
  await pass(2 * MINUTE);
  status = appIs('ready');
  await pass(10 * MINUTE);
  expect(handed).toMatchObject([
    {
      sink: 'pager',
      message: {
        version: 1,
        status: 'firing',
        fingerprint: 'ServiceDown/app',
        logs: ['the password is ********'],
      },
    },
    { sink: 'pager', message: { status: 'resolved', fingerprint: 'ServiceDown/app' } },
  ]);
  expect([sink.got, said.filter((text) => text.includes('pager'))]).toEqual([
    [],
    ['alerts are told to pager (exec)'],
  ]);
});

describe('a webhook', () => {
  test('hears that a service is down and that it is back, signed, once each', async () => {
    open();
    await pass(20 * SECOND);
    status = appIs('backoff');
    await pass(2 * MINUTE);
    expect(bodies()).toEqual([
      expect.objectContaining({
        version: 1,
        status: 'firing',
        alertname: 'ServiceDown',
        severity: 'critical',
        service: 'app',
        fingerprint: 'ServiceDown/app',
        description: 'app is backoff: exit 1',
        endsAt: null,
        name: 'shop',
        logs: ['the password is ********'],
      }),
    ]);
    const [first] = sink.got;
    const signature = createHmac('sha256', SECRET)
      .update(first?.body ?? '')
      .digest('hex');
    expect(first?.headers['x-bulkhead-signature']).toBe(`sha256=${signature}`);
    status = appIs('ready');
    await pass(2 * MINUTE);
    expect(bodies().map(({ status: word }) => word)).toEqual(['firing', 'resolved']);
    expect(bodies()[1].endsAt).not.toBeNull();
    expect(worst).toEqual([undefined, expect.stringContaining('ServiceDown app'), undefined]);
  });

  test('is over for the headline as soon as it is well again, though it is kept for a while', async () => {
    open();
    status = appIs('backoff');
    await pass(MINUTE);
    status = appIs('ready');
    await pass(20 * SECOND);
    expect(room.view().alerts).toMatchObject([{ fingerprint: 'ServiceDown/app', status: 'firing' }]);
    expect(worst).toEqual([undefined, expect.stringContaining('ServiceDown app'), undefined]);
  });

  test('is not told again by another start, and hears of the end from that one', async () => {
    open();
    status = appIs('backoff');
    await pass(2 * MINUTE);
    expect(sink.got).toHaveLength(1);
    await room.close();
    open();
    await pass(5 * MINUTE);
    expect(sink.got).toHaveLength(1);
    status = appIs('ready');
    await pass(2 * MINUTE);
    expect(bodies().map(({ status: word }) => word)).toEqual(['firing', 'resolved']);
    const state = readFileSync(join(dataDir, 'bulkhead', 'alerts', 'state.json'), 'utf8');
    expect(state).not.toContain('hidden');
    expect(state).not.toContain(SECRET);
  });

  test('does not hear that a service crashed that was well again before it could be told', async () => {
    open();
    const crashed = (word: 'starting' | 'ready', restarts: number): ProductStatus => {
      const since = new Date(clock.now()).toISOString();
      return { ...well(), services: [exampleService('app', { status: word, restarts, since })] };
    };
    status = crashed('starting', 0);
    await pass(2 * MINUTE);
    status = crashed('starting', 4);
    await pass(MINUTE);
    status = crashed('ready', 4);
    await pass(2 * MINUTE);
    expect(bodies().map(({ status: word, fingerprint }) => `${fingerprint} ${word}`)).toEqual([
      'ServiceDown/app firing',
      'ServiceDown/app resolved',
    ]);
    status = crashed('starting', 5);
    await pass(20 * SECOND);
    expect(bodies().at(-1)).toMatchObject({ status: 'firing', fingerprint: 'CrashLoop/app' });
  });

  test.each(['service', 'task'] as const)(
    'hears of the %s that ends the product before it has ended',
    async (kind) => {
      open();
      await pass(20 * SECOND);
      const gaveUp = exampleService('app', { kind, status: 'failed', reason: 'crashed 6 times in 16 s' });
      const other = exampleService('web', { status: 'unhealthy', reason: 'no answer' });
      status = { ...well(), phase: 'stopping', services: [gaveUp, other] };
      await room.lookLast();
      expect(bodies()).toEqual([
        expect.objectContaining({
          status: 'firing',
          fingerprint: 'ServiceDown/app',
          description: 'app is failed: crashed 6 times in 16 s',
        }),
      ]);
      expect(bodies()[0].alerts).toHaveLength(1);
      await room.close();
      open();
      status = {
        ...well(),
        phase: 'booting',
        services: [exampleService('app', { kind, status: 'starting' })],
      };
      await pass(5 * MINUTE);
      expect(sink.got).toHaveLength(1);
      status = appIs('ready');
      await pass(2 * MINUTE);
      expect(bodies().map(({ status: word }) => word)).toEqual(['firing', 'resolved']);
    },
  );

  test('hears nothing of a stop that was asked for', async () => {
    open();
    await pass(20 * SECOND);
    const services = [
      exampleService('app', { status: 'stopping' }),
      exampleService('web', { status: 'stopped' }),
    ];
    status = { ...well(), phase: 'stopping', services };
    await room.lookLast();
    expect(sink.got).toEqual([]);
  });

  test('that is silent does not hold up the end', async () => {
    sink.answer = () => undefined;
    open();
    status = { ...well(), phase: 'stopping', services: [exampleService('app', { status: 'failed' })] };
    const over = room.lookLast();
    await sink.gets(1);
    clock.advance(2 * SECOND);
    await over;
    expect(room.view().alerts).toMatchObject([{ fingerprint: 'ServiceDown/app', status: 'firing' }]);
  });

  test('that answers 500 is tried again, then said to fail, and hears at last', async () => {
    sink.answer = (response) => response.writeHead(500).end();
    open();
    status = appIs('backoff');
    await pass(5 * MINUTE);
    expect(sink.got).toHaveLength(6);
    const names = room.view().alerts.map(({ alertname }) => alertname);
    expect(names).toContain('NotifyFailing');
    expect(room.figures().alerts).toContainEqual({ rule: 'ServiceDown', state: 'firing', count: 1 });
    expect(room.figures().alerts).toContainEqual({ rule: 'QueueStuck', state: 'firing', count: 0 });
    expect(room.figures().sinks).toEqual([{ name: 'ops', sent: 0, failed: 6 }]);
    expect(said.join('\n')).toMatch(/sink ops cannot be reached: 127\.0\.0\.1:\d+: it answers 500/);
    expect(said.join('\n')).not.toContain('hidden');
    sink.answer = (response) => response.end();
    await pass(5 * MINUTE);
    expect(
      bodies()
        .at(-1)
        .alerts.map(({ alertname }: { alertname: string }) => alertname),
    ).toContain('ServiceDown');
    expect(room.view().sinks).toMatchObject([{ name: 'ops', failures: 0 }]);
    expect(room.figures().sinks).toEqual([{ name: 'ops', sent: sink.got.length - 6, failed: 6 }]);
  });

  test.each(['warning', 'critical'] as const)(
    'that hears again is noticed though nothing is left to be told (%s)',
    async (minSeverity) => {
      sink.answer = (response) => response.writeHead(500).end();
      open({ minSeverity });
      status = appIs('backoff');
      await pass(5 * MINUTE);
      status = appIs('ready');
      await pass(2 * MINUTE);
      const before = sink.got.length;
      sink.answer = (response) => response.end();
      await pass(6 * MINUTE);
      expect(room.view().sinks).toMatchObject([{ name: 'ops', failures: 0 }]);
      expect(worst.at(-1)).toBeUndefined();
      const heard = bodies().slice(before);
      expect(heard.map(({ status: word, fingerprint }) => `${fingerprint} ${word}`)).toEqual([
        'NotifyFailing/ops firing',
        'NotifyFailing/ops resolved',
      ]);
    },
  );

  test('that asks for patience by Retry-After gets it', async () => {
    sink.answer = (response) => response.writeHead(429, { 'retry-after': '120' }).end();
    open();
    status = appIs('backoff');
    await pass(50 * SECOND);
    expect(sink.got).toHaveLength(1);
    sink.answer = (response) => response.end();
    await pass(100 * SECOND);
    expect(sink.got).toHaveLength(1);
    await pass(40 * SECOND);
    expect(sink.got).toHaveLength(2);
  });

  test('that does not hear of the trouble in time does not hear of its end either', async () => {
    sink.answer = (response) => response.writeHead(500).end();
    open();
    status = appIs('backoff');
    await pass(60 * SECOND);
    status = appIs('ready');
    await pass(2 * MINUTE);
    const tries = sink.got.length;
    sink.answer = (response) => response.end();
    await pass(10 * MINUTE);
    expect(sink.got).toHaveLength(tries);
  });

  test('a silence keeps an alert from being told, until it is ended', async () => {
    open();
    await pass(10 * SECOND);
    const asked = { alertname: 'ServiceDown', service: 'app', ms: 3600 * SECOND, comment: 'known' } as const;
    const { id } = await room.silence(asked);
    status = appIs('backoff');
    await pass(3 * MINUTE);
    expect(sink.got).toEqual([]);
    expect(room.view().alerts[0]).toMatchObject({ status: 'firing', silencedUntil: expect.any(String) });
    expect(await room.unsilence(id)).toBe(true);
    expect(await room.unsilence(id)).toBe(false);
    await pass(20 * SECOND);
    expect(sink.got).toHaveLength(1);
  });
});

describe('other sinks', () => {
  test('Sentry gets an envelope with one event, and nothing of what is over', async () => {
    open({
      type: 'sentry',
      url: sink.url.replace('//', '//key@').concat('/base/7'),
      minSeverity: 'critical',
    });
    status = appIs('backoff');
    await pass(2 * MINUTE);
    status = appIs('ready');
    await pass(3 * MINUTE);
    expect(sink.got).toHaveLength(1);
    const [{ path, headers, body } = { path: '', headers: {}, body: '' }] = sink.got;
    expect(path).toBe('/base/api/7/envelope/');
    expect(headers['x-sentry-auth']).toContain('sentry_key=key');
    const [header, item, event] = body.split('\n').map((line) => line && JSON.parse(line));
    expect(item).toMatchObject({ type: 'event', length: Buffer.byteLength(body.split('\n')[2] ?? '') });
    expect(event).toMatchObject({ event_id: header.event_id, level: 'error', tags: { service: 'app' } });
  });

  test('Alertmanager gets its own shape, and Slack a text and blocks it takes', async () => {
    open({ type: 'alertmanager' });
    await room.test(undefined);
    expect(bodies()[0]).toEqual([
      expect.objectContaining({ labels: expect.objectContaining({ alertname: 'Test' }) }),
    ]);
    await room.close();
    open({ type: 'slack' });
    expect(await room.test('ops')).toMatchObject({ results: [{ sink: 'ops', ok: true }] });
    expect(bodies()[1]).toMatchObject({ text: expect.stringContaining('shop: test'), blocks: [{}, {}] });
    expect(await room.test('nobody')).toBeUndefined();
  });

  test('a heartbeat beats while all is well, and falls silent with the product', async () => {
    open({ type: 'heartbeat' });
    await pass(5 * MINUTE);
    const beats = sink.got.length;
    expect(beats).toBeGreaterThanOrEqual(4);
    status = { ...appIs('backoff'), overall: 'fail' };
    await pass(5 * MINUTE);
    expect(sink.got).toHaveLength(beats);
    status = undefined;
    await pass(2 * MINUTE);
    expect(sink.got).toHaveLength(beats);
  });

  test('a heartbeat of backups beats once for each that went well, also over a start', async () => {
    const backups = [{ name: 'backup-daily', cron: '0 2 * * *', timeZone: 'UTC' }];
    open({ type: 'heartbeat', after: 'backup' }, { backups });
    status = { ...well(), schedules: [daily('2026-01-01T00:00:05.000Z')] };
    await pass(MINUTE);
    expect(sink.got).toHaveLength(1);
    await room.close();
    open({ type: 'heartbeat', after: 'backup' }, { backups });
    await pass(MINUTE);
    expect(sink.got).toHaveLength(1);
    status = { ...well(), schedules: [daily('2026-01-01T00:02:00.000Z')] };
    await pass(MINUTE);
    expect(sink.got).toHaveLength(2);
  });
});

describe('rules', () => {
  const firing = () =>
    room.view().alerts.flatMap((alert) => (alert.status === 'firing' ? [alert.fingerprint] : []));

  test('three unasked ends within ten minutes are a crash loop, until it ran for ten', async () => {
    const app = (restarts: number, since = '2026-01-01T00:00:00.000Z') => ({
      ...well(),
      services: [exampleService('app', { restarts, since })],
    });
    status = app(0);
    open();
    await pass(10 * SECOND);
    for (const restarts of [1, 2, 3]) {
      status = app(restarts);
      await pass(10 * SECOND);
    }
    expect(firing()).toEqual(['CrashLoop/app']);
    status = app(3, new Date(clock.now()).toISOString());
    await pass(9 * MINUTE);
    expect(firing()).toEqual(['CrashLoop/app']);
    await pass(2 * MINUTE);
    expect(firing()).toEqual([]);
  });

  test('a backup that failed is told at once, and one that did not run once its time is up half again', async () => {
    const backups = [{ name: 'backup-daily', cron: '0 2 * * *', timeZone: 'UTC' }];
    open({}, { backups });
    status = { ...well(), schedules: [daily('2025-12-31T02:00:00.000Z')] };
    await pass(MINUTE);
    expect(firing()).toEqual([]);
    clock.advance(15 * 3600 * SECOND);
    await pass(MINUTE);
    expect(firing()).toEqual(['BackupOverdue/backup-daily']);
    const { lastRun, ...schedule } = daily('2025-12-31T02:00:00.000Z');
    status = { ...well(), schedules: [{ ...schedule, lastRun: lastRun && { ...lastRun, ok: false } }] };
    await pass(MINUTE);
    expect(firing()).toContain('BackupFailed/backup-daily');
  });

  test('lost lines and a clock that was set are told for an hour; a set clock ends nothing', async () => {
    open();
    await pass(20 * SECOND);
    // What standard output missed the files have.
    status = { ...well(), supervisor: { ...exampleSelf, logDroppedLines: 7 } };
    await pass(10 * SECOND);
    expect(firing()).toEqual([]);
    status = { ...well(), supervisor: { ...exampleSelf, logLostLines: { app: 7 } } };
    await pass(10 * SECOND);
    expect(firing()).toEqual(['LogDrops/app']);
    const { now } = clock;
    clock.now = () => now() + 86_400 * SECOND;
    await pass(MINUTE);
    expect(firing().toSorted()).toEqual(['ClockStep', 'LogDrops/app']);
    await pass(61 * MINUTE);
    expect(firing()).toEqual([]);
  });

  test('looks come one after the other: lines that were lost are new to one of them alone', async () => {
    open();
    await pass(20 * SECOND);
    status = { ...well(), supervisor: { ...exampleSelf, logLostLines: { 'standard output': 7 } } };
    await Promise.all([room.look(), room.look(), room.lookLast()]);
    expect([firing(), mostAsking]).toEqual([['LogDrops'], 1]);
  });

  test('nothing is judged by what nobody can tell', async () => {
    open();
    status = appIs('backoff');
    await pass(2 * MINUTE);
    status = undefined;
    await pass(5 * MINUTE);
    expect(firing()).toEqual(['ServiceDown/app']);
  });
});

function daily(at: string): ProductStatus['schedules'][number] {
  return {
    name: 'backup-daily',
    status: 'idle',
    reason: '0 2 * * *',
    nextRun: undefined,
    runningSince: undefined,
    lastRun: { startedAt: at, endedAt: at, ok: true, reason: '' },
    lastSuccess: at,
    missed: 0,
  };
}
