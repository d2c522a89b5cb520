import type { Readable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { createEventHub, type EventHub, type HubPorts, type Topic } from '../../src/api/event-hub.ts';
import type { Operate } from '../../src/api/operate.ts';
import type { OperationView } from '../../src/api/operations.ts';
import { readPosition } from '../../src/api/stream-position.ts';
import type { LogLine } from '../../src/protocol/control.ts';
import { exampleProduct } from '../support/product.ts';

const event = (seq: number) => ({ seq, at: '2026-01-01T00:00:00.000Z', type: 'noted', text: `${seq}` });
const line = (text: string, service = 'app', ms = 0): LogLine => ({
  time: new Date(1_767_225_600_000 + ms).toISOString(),
  service,
  stream: 'stdout',
  line: text,
});

let hub: EventHub;
afterEach(() => hub.close());

/** PID 1 as these see it: `past` is kept, `live` comes once somebody follows, `logs` is kept of them. */
class Source {
  past: object[] = [];
  live: object[] = [];
  logs: LogLine[] = [];
  product = exampleProduct();
  readonly asked: string[] = [];
  readonly #followers = new Set<{ path: string; push: (item: object) => void }>();

  readonly operate: Pick<Operate, 'lines' | 'get'> = {
    get: async <Answer>() => this.product as Answer,
    lines: async <Line>(path: string, signal: AbortSignal) =>
      this.#lines(path, signal) as AsyncIterable<Line>,
  };

  tell(kind: 'events' | 'logs', item: object): void {
    for (const { path, push } of this.#followers) if (path.startsWith(`/v1/${kind}`)) push(item);
  }

  async *#lines(path: string, signal: AbortSignal): AsyncGenerator<object> {
    this.asked.push(path);
    const { pathname, searchParams } = new URL(path, 'http://x');
    if (!searchParams.has('follow')) {
      yield* pathname === '/v1/logs' ? this.logs : this.past;
      return;
    }
    const queue: object[] = pathname === '/v1/logs' ? [] : [...this.live];
    let wake = () => {};
    const follower = {
      path,
      push: (item: object) => {
        queue.push(item);
        wake();
      },
    };
    this.#followers.add(follower);
    signal.addEventListener('abort', () => wake());
    while (!signal.aborted) {
      const item = queue.shift();
      if (item) yield item;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
    this.#followers.delete(follower);
  }
}

function hubOf(source: Source, more: Partial<HubPorts> = {}): EventHub {
  hub = createEventHub({ operate: source.operate, ...more });
  return hub;
}

const listen = (topics: Topic[], id?: string, more: object = {}) =>
  hub.open({
    standing: 'admin',
    topics: new Set(topics),
    position: id === undefined ? undefined : readPosition(id),
    ...more,
  });

/** What it says until it has said this. */
async function heard(stream: Readable, last: string): Promise<string> {
  let said = '';
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    said += chunk;
    if (said.includes(last)) break;
  }
  return said;
}

const idsOf = (said: string) => [...said.matchAll(/^id: (\S+)$/gm)].map(([, id]) => id);
const dataOf = (said: string, name: string) =>
  [...said.matchAll(new RegExp(`^event: ${name}\\n(?:id: .*\\n)?data: (.*)$`, 'gm'))].map(([, text]) =>
    JSON.parse(text ?? ''),
  );

describe('events', () => {
  test('that are both kept and new come once, and what is kept comes first', async () => {
    const source = new Source();
    source.past = [event(2), event(3)];
    source.live = [event(3), event(4)];
    hubOf(source);
    const said = await heard(listen(['events'], '1'), 'id: 4\n');
    expect([...said.matchAll(/"seq":(\d)/g)].map(([, seq]) => seq)).toEqual(['2', '3', '4']);
  });

  test('that are no longer kept are said, without a number to come back with', async () => {
    const source = new Source();
    source.past = [{ type: 'missed', before: 9 }, event(9)];
    hubOf(source);
    const said = await heard(listen(['events'], '3'), 'id: 9\n');
    expect(said).toContain('\n\ndata: {"type":"missed","before":9}\n\nid: 9\n');
  });

  test('are lost by nobody who was cut off before the first', async () => {
    const source = new Source();
    source.past = [event(7)];
    hubOf(source);
    const said = await heard(listen(['events']), 'id: 7\n\n');
    expect(said).not.toContain('data:');
    expect(source.asked).toContain('/v1/events?since=7&follow=1&jobs=1');
  });

  test('of a new volume are told to who has seen higher numbers of the old one', async () => {
    const source = new Source();
    source.past = [event(2)];
    hubOf(source);
    const stream = listen(['events'], '500');
    await heard(stream, 'id: 2\n');
    source.tell('events', event(3));
    expect(await heard(stream, '"seq":3')).toContain('"seq":3');
  });
});

describe('logs', () => {
  test('come in batches, with an id that goes on where it ended', async () => {
    const source = new Source();
    hubOf(source);
    const first = listen(['logs'], undefined, { services: ['app'] });
    await heard(first, 'id: ');
    for (const text of ['a', 'b']) source.tell('logs', line(text));
    source.tell('logs', line('of another', 'web'));
    const said = await heard(first, 'data: ');
    expect(dataOf(said, 'logs')).toEqual([{ lines: [line('a'), line('b')] }]);
    const id = idsOf(said).at(-1);
    first.destroy();
    await new Promise((resolve) => first.once('close', resolve));
    source.tell('logs', line('c'));
    const again = listen(['logs'], id);
    source.tell('logs', line('d'));
    const rest = await heard(again, '"d"');
    expect(dataOf(rest, 'logs').flatMap(({ lines }) => lines.map((each: LogLine) => each.line))).toEqual([
      'c',
      'd',
    ]);
  });

  test('of before are there once, whatever comes meanwhile', async () => {
    const source = new Source();
    source.logs = [line('old', 'app', 1), line('new', 'app', 2)];
    hubOf(source);
    const stream = listen(['logs'], undefined, { tail: 10 });
    await Promise.resolve();
    // PID 1 had it at hand already, and tells it all the same.
    setTimeout(() => {
      source.tell('logs', line('new', 'app', 2));
      source.tell('logs', line('last', 'app', 3));
    }, 20);
    const said = await heard(stream, '"last"');
    expect(dataOf(said, 'logs').flatMap(({ lines }) => lines.map((each: LogLine) => each.line))).toEqual([
      'old',
      'new',
      'last',
    ]);
  });

  test('of another start of the API go on by the time of the last one', async () => {
    const source = new Source();
    source.logs = [line('since then')];
    hubOf(source);
    const said = await heard(listen(['logs'], '7/deadbeef.12.1767225600000'), 'since then');
    expect(source.asked).toContain('/v1/logs?tail=500&since=2026-01-01T00%3A00%3A00.000Z');
    expect(dataOf(said, 'logs')).toEqual([{ lines: [line('since then')] }]);
  });

  test('that are too many are counted', async () => {
    const source = new Source();
    hubOf(source);
    const stream = listen(['logs']);
    await heard(stream, 'id: ');
    for (let count = 0; count < 600; count += 1) source.tell('logs', line(`${count}`));
    const [batch] = dataOf(await heard(stream, 'dropped'), 'logs');
    expect([batch.lines.length, batch.dropped]).toEqual([500, 100]);
  });

  test('and events share one id, and none is ahead of what was sent', async () => {
    const source = new Source();
    source.past = [event(1)];
    hubOf(source);
    const stream = listen(['events', 'logs']);
    await heard(stream, 'id: 1/');
    source.tell('logs', line('before'));
    await new Promise((resolve) => setImmediate(resolve));
    source.tell('events', event(2));
    const said = await heard(stream, '"seq":2');
    expect(said.indexOf('before')).toBeLessThan(said.indexOf('"seq":2'));
    expect(idsOf(said).at(-1)).toMatch(/^2\/[\da-f]{8}\.1\.1767225600000$/);
  });
});

test('the state comes whole at first, then what is otherwise', async () => {
  const source = new Source();
  hubOf(source);
  const stream = listen(['state']);
  const [whole] = dataOf(await heard(stream, 'event: state'), 'state');
  expect(whole).toMatchObject({ whole: true, name: source.product.name, gone: [] });
  expect(whole.services).toHaveLength(source.product.services.length);
  const [first, ...others] = source.product.services;
  if (first === undefined) throw new Error('no service');
  source.product = {
    ...source.product,
    reason: 'it crashed',
    services: [{ ...first, status: 'backoff' }, ...others.slice(1)],
  };
  source.tell('events', event(1));
  const [delta] = dataOf(await heard(stream, 'event: state'), 'state');
  expect(delta).toEqual({
    whole: false,
    reason: 'it crashed',
    services: [{ ...first, status: 'backoff' }],
    gone: [others[0]?.name],
  });
});

test('operations come as they are, and whenever they change', async () => {
  const view = { id: '1', kind: 'backup run', state: 'running' } as OperationView;
  let tell: (view: OperationView) => void = () => {};
  hubOf(new Source(), {
    operations: {
      list: () => [view],
      follow: (listener) => {
        tell = listener;
        return () => {};
      },
    },
  });
  const stream = listen(['operations']);
  expect(dataOf(await heard(stream, 'event: operation'), 'operation')).toEqual([view]);
  tell({ ...view, state: 'done' });
  expect(dataOf(await heard(stream, 'event: operation'), 'operation')).toMatchObject([{ state: 'done' }]);
});

test('a quiet stream shows that it lives', async () => {
  hubOf(new Source(), { pingMs: 5 });
  expect(await heard(listen(['events']), ': ping\n\n')).toMatch(/^retry: 2000\n\n/);
});

test('a stream ends when its token is revoked', async () => {
  hubOf(new Source(), { pingMs: 5 });
  const stream = listen(['events'], undefined, { isWelcome: async () => false });
  expect(await heard(stream, 'never')).toMatch(/^retry: 2000/);
});

test('who reads nothing is sent away when a megabyte waits for it', async () => {
  const source = new Source();
  source.live = Array.from({ length: 40 }, (_, index) => ({
    ...event(index + 1),
    text: 'x'.repeat(64 * 1024),
  }));
  hubOf(source);
  const stream = listen(['events']);
  await new Promise((resolve) => stream.once('close', resolve));
  expect(stream.destroyed).toBe(true);
});

test('when nobody listens PID 1 is asked nothing any more', async () => {
  const source = new Source();
  hubOf(source);
  const stream = listen(['events', 'state']);
  await heard(stream, 'event: state');
  stream.destroy();
  await new Promise((resolve) => stream.once('close', resolve));
  const before = source.asked.length;
  source.tell('events', event(9));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(source.asked).toHaveLength(before);
});

test('what happens to jobs is told without a number, to those who want to hear it', async () => {
  const job = { type: 'job', at: '2026-01-01T00:00:00.000Z', what: 'started', job: { id: 'a' } };
  const source = new Source();
  hubOf(source);
  const both = listen(['events', 'jobs']);
  const without = listen(['events']);
  const said = [heard(both, 'id: 9\n'), heard(without, 'id: 9\n')];
  await expect.poll(() => source.asked.some((path) => path.endsWith('&jobs=1'))).toBe(true);
  for (const item of [event(8), job, event(9)]) source.tell('events', item);
  const [all, others] = await Promise.all(said);
  expect(all).toContain(`\n\ndata: ${JSON.stringify(job)}\n\nid: 9\n`);
  expect(others).not.toContain('"type":"job"');
});
