import { describe, expect, test } from 'vitest';
import { chooseWindow } from '../../src/wal/choose-window.ts';
import { parseMoment } from '../../src/wal/moment.ts';
import type { Window } from '../../src/wal/windows.ts';

const NOW = Date.parse('2026-11-21T12:00:00.000Z');

describe('a moment', () => {
  test.for([
    ['2026-11-21T08:15:00Z', '2026-11-21 08:15:00+00', '2026-11-21T08:15:00.000Z'],
    ['2026-11-21 09:15:00.123456+01:00', '2026-11-21 09:15:00.123456+01:00', '2026-11-21T08:15:00.123Z'],
    ['2026-11-21 09:15 +0100', '2026-11-21 09:15+0100', '2026-11-21T08:15:00.000Z'],
    ['2026-11-21 08:15:00.123456+00', '2026-11-21 08:15:00.123456+00', '2026-11-21T08:15:00.123Z'],
    ['10m', '2026-11-21 11:50:00.000+00', '2026-11-21T11:50:00.000Z'],
    ['1h30m ago', '2026-11-21 10:30:00.000+00', '2026-11-21T10:30:00.000Z'],
    ['latest', undefined, '2026-11-21T12:00:00.000Z'],
  ] as const)('may be written %s', ([written, text, at]) => {
    expect(parseMoment(written, NOW)).toEqual({ text, at: Date.parse(at) });
  });

  test.for([
    '2026-11-21T08:15:00',
    '2026-11-21',
    'yesterday',
    '',
    "2026-11-21T08:15:00Z'; --",
    '2026-13-41T08:15:00Z',
  ])('is not "%s"', (written) => {
    expect(parseMoment(written, NOW)).toBeUndefined();
  });
});

describe('the way to a moment', () => {
  const at = (hour: number) => `2026-11-21T${String(hour).padStart(2, '0')}:00:00.000Z`;
  const window = (base: string, timeline: number, from: number, to: number): Window => ({
    base,
    timeline,
    from: at(from),
    to: at(to),
    segments: [],
    hole: undefined,
  });
  // At 8 somebody went back to 5, and worked on.
  const windows = [
    window('early', 1, 2, 8),
    window('late', 1, 6, 8),
    window('early', 2, 2, 11),
    window('new', 2, 9, 11),
  ];
  const choose = (hour: number | 'latest', living?: number) =>
    chooseWindow(
      windows,
      hour === 'latest' ? { text: undefined, at: NOW } : { text: at(hour), at: Date.parse(at(hour)) },
      (timeline) => (timeline === 2 ? Date.parse(at(8)) : undefined),
      living,
    );

  test('begins at the newest backup before it, on the timeline that was lived in then', () => {
    expect(choose(4)).toMatchObject({ base: 'early', timeline: 1 });
    expect(choose(7)).toMatchObject({ base: 'late', timeline: 1 });
    expect(choose(10)).toMatchObject({ base: 'new', timeline: 2 });
    expect(choose('latest')).toMatchObject({ base: 'new', timeline: 2 });
    expect(choose(1)).toBeUndefined();
    expect(choose(12)).toBeUndefined();
  });

  test('ends where the cluster in use is, whatever higher timeline was left; without one, where was written last', () => {
    expect(choose('latest', 1)).toMatchObject({ base: 'late', timeline: 1 });
    expect(choose('latest', 7)).toMatchObject({ base: 'new', timeline: 2 });
    // At 9 the cluster of before the return came back, and worked on.
    const back = [window('early', 2, 2, 9), window('late', 1, 6, 11)];
    const end = chooseWindow(back, { text: undefined, at: NOW }, () => undefined, undefined);
    expect(end).toMatchObject({ base: 'late', timeline: 1 });
  });
});
