import { describe, expect, test } from 'vitest';
import { createEventLog } from '../../../src/supervisor/control/event-log.ts';

function open(options?: Parameters<typeof createEventLog>[1]) {
  const lines: string[] = [];
  const failures: unknown[] = [];
  const log = createEventLog(
    { now: () => 0, appendLine: (line) => lines.push(line), listenerFailed: (error) => failures.push(error) },
    options,
  );
  return { log, lines, failures };
}

describe('the event log', () => {
  test('numbers events from 1 and writes each as one line', () => {
    const { log, lines } = open();
    log.append({ type: 'noted', text: 'a\nb' });
    log.append({ type: 'booted', ms: 5 });
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { seq: 1, at: '1970-01-01T00:00:00.000Z', type: 'noted', text: 'a\nb' },
      { seq: 2, at: '1970-01-01T00:00:00.000Z', type: 'booted', ms: 5 },
    ]);
    expect(lines.join('')).not.toContain('\n');
  });

  test('gives what came after a number, and says what it has no more', () => {
    const { log } = open({ capacity: 2 });
    for (const text of ['a', 'b', 'c']) log.append({ type: 'noted', text });
    expect(log.since(2)).toMatchObject({ events: [{ seq: 3 }], missedBefore: undefined });
    expect(log.since(1)).toMatchObject({ events: [{ seq: 2 }, { seq: 3 }], missedBefore: undefined });
    expect(log.since(0)).toMatchObject({ events: [{ seq: 2 }, { seq: 3 }], missedBefore: 2 });
  });

  test('goes on where an earlier boot ended, and says that its events are not here', () => {
    const { log } = open({ after: 41 });
    expect(log.append({ type: 'booted', ms: 5 }).seq).toBe(42);
    expect(log.since(0)).toMatchObject({ events: [{ seq: 42 }], missedBefore: undefined });
    expect(log.since(41)).toMatchObject({ events: [{ seq: 42 }], missedBefore: undefined });
    expect(log.since(30)).toMatchObject({ events: [{ seq: 42 }], missedBefore: 42 });
    expect(log.since(42)).toMatchObject({ events: [], missedBefore: undefined });
  });

  test('tells followers until they leave', () => {
    const { log } = open();
    const seen: number[] = [];
    const leave = log.follow(({ seq }) => seen.push(seq));
    log.append({ type: 'noted', text: 'a' });
    leave();
    log.append({ type: 'noted', text: 'b' });
    expect(seen).toEqual([1]);
  });

  test('survives a follower that throws, and tells the others', () => {
    const { log, failures } = open();
    const seen: number[] = [];
    log.follow(() => {
      throw new Error('bad follower');
    });
    log.follow(({ seq }) => seen.push(seq));
    log.append({ type: 'noted', text: 'a' });
    expect(seen).toEqual([1]);
    expect(failures).toHaveLength(1);
  });
});
