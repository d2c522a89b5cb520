import { describe, expect, it } from 'vitest';
import { byAge, dateOf, dayOf, logName, parseLogName, untilNextDay } from '../../src/base/log-names.ts';

describe('the name of a log file', () => {
  it.each([
    ['app-2026-11-21.log', { service: 'app', day: '2026-11-21', part: 0, moved: 0, compressed: false }],
    ['app-2026-11-21.12.log.gz', { service: 'app', day: '2026-11-21', part: 12, moved: 0, compressed: true }],
    ['web-2-2026-11-21.1.log', { service: 'web-2', day: '2026-11-21', part: 1 }],
    ['a.b_c-2026-11-21.log.3.gz', { service: 'a.b_c', day: '2026-11-21', moved: 3, compressed: true }],
    // A service may be called like a day.
    ['x-2025-01-01-2026-11-21.log', { service: 'x-2025-01-01', day: '2026-11-21' }],
    ['app.log', { service: 'app', day: '', part: 0, moved: 0 }],
    ['app.log.1', { service: 'app', day: '', moved: 1 }],
  ])('%s is read', (file, expected) => {
    expect(parseLogName(file)).toMatchObject({ file, ...expected });
  });

  it.each([
    'app-2026-11-21.ndjson',
    'app-2026-11-21.log.bz2',
    '.app-2026-11-21.log.gz.tmp',
    'app-2026-13-41.log',
    'notes.txt',
    '.log',
  ])('%s is none of ours', (file) => {
    expect(parseLogName(file)).toBeUndefined();
  });

  it('is read as it was made', () => {
    for (const part of [0, 1, 99]) {
      expect(parseLogName(logName('my.app-1', '2026-02-28', part))).toMatchObject({
        service: 'my.app-1',
        part,
      });
    }
  });

  it('tells the age: all days first, then by day, what was moved aside before what has its name, then by part', () => {
    const files = ['a.log.1', 'a.log', 'a-2026-01-01.log.2', 'a-2026-01-01.log.1.gz', 'a-2026-01-01.log'];
    const all = [...files, 'a-2026-01-01.2.log', 'a-2026-01-01.10.log', 'a-2026-01-02.log'];
    const parsed = all.toReversed().flatMap((file) => parseLogName(file) ?? []);
    expect(parsed.toSorted(byAge).map(({ file }) => file)).toEqual(all);
  });
});

describe('days', () => {
  it('are those of UTC, also where clocks are changed for summer', () => {
    const before = Date.parse('2026-03-29T00:59:59.999Z');
    expect(dateOf(dayOf(before))).toBe('2026-03-29');
    expect(dateOf(dayOf(before + 1))).toBe('2026-03-29');
    const last = Date.parse('2026-10-25T23:59:59.999Z');
    expect([last, last + 1].map((ms) => dateOf(dayOf(ms)))).toEqual(['2026-10-25', '2026-10-26']);
    expect(untilNextDay(last)).toBe(1);
    expect(untilNextDay(last + 1)).toBe(24 * 3600 * 1000);
  });
});
