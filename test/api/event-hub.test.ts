import type { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { createEventHub } from '../../src/api/event-hub.ts';
import type { Operate } from '../../src/api/operate.ts';

const event = (seq: number) => ({ seq, at: '2026-01-01T00:00:00.000Z', type: 'noted', text: `${seq}` });

/** PID 1 as these see it: `past` is kept, `live` comes once somebody follows. */
function operateOf(past: readonly object[], live: readonly object[]): Pick<Operate, 'lines'> {
  return {
    async lines<Line>(path: string, signal: AbortSignal) {
      async function* lines() {
        if (!path.includes('follow')) return yield* past;
        yield* live;
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      }
      return lines() as AsyncIterable<Line>;
    },
  };
}

/** What it says until it has said this. */
async function heard(stream: Readable, last: string): Promise<string> {
  let said = '';
  for await (const chunk of stream) {
    said += chunk;
    if (said.includes(last)) break;
  }
  return said;
}

test('an event that is both kept and new comes once, and what is kept comes first', async () => {
  const hub = createEventHub(operateOf([event(2), event(3)], [event(3), event(4)]));
  const said = await heard(hub.open(1), 'id: 4\n');
  hub.close();
  expect([...said.matchAll(/^id: (\d+)$/gm)].map(([, id]) => id)).toEqual(['2', '3', '4']);
});

test('what is no longer kept is said, without a number to come back with', async () => {
  const hub = createEventHub(operateOf([{ type: 'missed', before: 9 }, event(9)], []));
  const said = await heard(hub.open(3), 'id: 9\n');
  hub.close();
  expect(said).toContain('\n\ndata: {"type":"missed","before":9}\n\nid: 9\n');
});

test('a quiet stream shows that it lives', async () => {
  const hub = createEventHub(operateOf([], []), 5);
  expect(await heard(hub.open(undefined), ': ping\n\n')).toMatch(/^retry: 2000\n\n/);
  hub.close();
});

test('who reads nothing is sent away when a megabyte waits for it', async () => {
  const many = Array.from({ length: 40 }, (_, index) => ({
    ...event(index + 1),
    text: 'x'.repeat(64 * 1024),
  }));
  const hub = createEventHub(operateOf([], many));
  const stream = hub.open(undefined);
  await new Promise((resolve) => stream.once('close', resolve));
  expect(stream.destroyed).toBe(true);
  hub.close();
});
