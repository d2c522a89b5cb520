import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatLsn, parseLsn, parseSegment, SEGMENT_SIZE, segmentName } from '../../src/wal/segments.ts';
import { type Fork, parseHistory, stretchesOf } from '../../src/wal/timelines.ts';
import { type Base, findWindows, walNeededFrom } from '../../src/wal/windows.ts';

const SIZE = BigInt(SEGMENT_SIZE);
const START = Date.parse('2026-11-21T00:00:00.000Z');

/** The moment of a segment: one an hour. */
function hour(number: number): number {
  return START + number * 3_600_000;
}

/** A base backup that ends in the middle of that segment. */
function base(number: number, timeline = 1): Base {
  return {
    id: `base-${timeline}-${number}`,
    startedAt: new Date(hour(number)).toISOString(),
    wal: {
      startLsn: formatLsn(BigInt(number) * SIZE + 40n),
      endLsn: formatLsn(BigInt(number) * SIZE + 300n),
      timeline,
    },
  };
}

function segment(number: number, timeline = 1) {
  return { timeline, number: BigInt(number), at: hour(number) };
}

function windows(
  bases: readonly Base[],
  segments: readonly ReturnType<typeof segment>[],
  histories: ReadonlyMap<number, readonly Fork[]> = new Map(),
) {
  return findWindows({ bases, segments, histories, segmentSize: SEGMENT_SIZE });
}

describe('names and positions', () => {
  test('of segments go there and back', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 32 - 1 }),
        fc.bigInt({ min: 0n, max: 2n ** 40n - 1n }),
        (t, n) => {
          expect(parseSegment(segmentName({ timeline: t, number: n }))).toEqual({ timeline: t, number: n });
          expect(parseLsn(formatLsn(n * SIZE))).toBe(n * SIZE);
        },
      ),
    );
    expect(segmentName({ timeline: 1, number: 256n })).toBe('000000010000000100000000');
    expect(parseSegment('00000001000000000000000100')).toBeUndefined();
    // The 16 MB of a log file of 4 GB are 256; a name beyond them is none.
    expect(parseSegment('000000010000000000000100')).toBeUndefined();
  });

  test('of a history are read as PostgreSQL writes them', () => {
    const text = '1\t0/3000138\tbefore 2026-11-21\n\n2\t0/5000000\tno recovery target specified\n';
    const histories = new Map([[3, parseHistory(text)]]);
    expect(stretchesOf(3, histories)).toEqual([
      { timeline: 1, from: 0n, to: 0x300_0138n },
      { timeline: 2, from: 0x300_0138n, to: 0x500_0000n },
      { timeline: 3, from: 0x500_0000n, to: undefined },
    ]);
  });
});

describe('the moments that can be reached', () => {
  test('are those from a base backup to the last segment before the first that is missing', () => {
    const [window] = windows(
      [base(3)],
      [3, 4, 5, 7, 8].map((number) => segment(number)),
    );
    expect(window).toMatchObject({
      from: new Date(hour(3)).toISOString(),
      to: new Date(hour(5)).toISOString(),
      hole: { timeline: 1, number: 6n },
    });
  });

  test('are only the backup’s own where nothing follows it', () => {
    expect(windows([base(3)], [])).toMatchObject([
      { from: base(3).startedAt, to: base(3).startedAt, hole: undefined },
    ]);
    expect(windows([base(3)], [segment(4)])).toMatchObject([{ to: base(3).startedAt, hole: { number: 3n } }]);
  });

  test('of a timeline go over from the one before, where that was left', () => {
    const histories = new Map([[2, [{ timeline: 1, at: 5n * SIZE + 100n }]]]);
    const both = [3, 4, 5, 6].map((number) => segment(number));
    const found = windows([base(3), base(6), base(6, 2)], [...both, segment(5, 2), segment(6, 2)], histories);
    expect(
      found.map(({ base: id, timeline, segments }) => [id, timeline, segments.map((s) => s.timeline)]),
    ).toEqual([
      ['base-1-3', 1, [1, 1, 1, 1]],
      ['base-1-3', 2, [1, 1, 2, 2]],
      // Made after timeline 1 was left, it cannot become a part of timeline 2.
      ['base-1-6', 1, [1]],
      ['base-2-6', 2, [2]],
    ]);
  });

  test('end where a new timeline left nothing, and never go on along the old one', () => {
    const histories = new Map([[2, [{ timeline: 1, at: 5n * SIZE + 100n }]]]);
    const old = [3, 4, 5, 6, 7].map((number) => segment(number));
    const found = windows([base(3)], [...old, segment(7, 2)], histories);
    expect(found.find(({ timeline }) => timeline === 2)).toBeUndefined();
    const withHole = windows([base(3)], [...old, segment(5, 2), segment(7, 2)], histories);
    expect(withHole.find(({ timeline }) => timeline === 2)).toMatchObject({
      hole: { timeline: 2, number: 6n },
    });
  });

  test('never hold a missing segment, and none that is there is left out', () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 30 }));
    fc.assert(
      fc.property(
        numbers,
        fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1 }),
        (there, starts) => {
          const found = windows(
            starts.map((start) => base(start)),
            there.map((number) => segment(number)),
          );
          expect(found).toHaveLength(starts.length);
          for (const window of found) {
            const start = Number(window.base.split('-')[2]);
            const covered = window.segments.map(({ number }) => Number(number));
            expect(covered).toEqual(covered.map((_, index) => start + index));
            expect(covered.every((number) => there.includes(number))).toBe(true);
            const next = start + covered.length;
            expect(there).not.toContain(next);
            expect(window.hole === undefined).toBe(!there.some((number) => number > next));
          }
        },
      ),
    );
  });
});

test('WAL is needed from the oldest start of all base backups that are kept, and from nowhere without any', () => {
  expect(walNeededFrom([])).toBeUndefined();
  expect(walNeededFrom([base(7), base(3), base(5, 2)])).toBe(3n * SIZE + 40n);
});
