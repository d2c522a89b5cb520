import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pace } from '../../../src/supervisor/logs/pace.ts';
import {
  adjust,
  FREE,
  LEAST_READ,
  LEAST_SHOWN,
  type Look,
  type Restraint,
} from '../../../src/supervisor/logs/restraint.ts';

const TOOK = 250;
const looks = fc.record({
  ran: fc.integer({ min: 0, max: 2000 }),
  waited: fc.integer({ min: 0, max: 20_000 }),
  took: fc.integer({ min: 1, max: 2000 }),
  loudest: fc.integer({ min: 0, max: 1e9 }),
  mayHide: fc.boolean(),
});
const seen = (looked: readonly Look[], from: Restraint = FREE): Restraint => looked.reduce(adjust, from);
const look = (more: Partial<Look>): Look => ({
  ran: 100,
  waited: 0,
  took: TOOK,
  loudest: 100e6,
  mayHide: true,
  ...more,
});
const PRESSED = look({ waited: 400 });
const CALM = look({});
/** As beside 100 MB/s that nobody shows. */
const BEARABLE = look({ waited: 115 });
const isFree = ({ shown, read }: Restraint): boolean => Math.min(shown, read) === Number.POSITIVE_INFINITY;
const times = (count: number, each: Look): Look[] => Array.from({ length: count }, () => each);

describe('a loud service', () => {
  it('is never restrained while nobody else waits, however loud it is', () => {
    const unpressed = looks.map((each) => ({ ...each, waited: Math.min(each.waited, each.ran * 0.4) }));
    fc.assert(fc.property(fc.array(unpressed), (looked) => isFree(seen(looked))));
  });

  it('is not restrained for a thread that waited a little when it woke up', () => {
    expect(isFree(seen(times(100, look({ ran: 1, waited: 20 }))))).toBe(true);
  });

  it('loses its place on standard output first, and is read more slowly only where that was not enough', () => {
    const first = seen(times(2, PRESSED));
    expect([first.shown, first.read]).toEqual([LEAST_SHOWN, Number.POSITIVE_INFINITY]);
    const later = seen(times(4, PRESSED), first);
    expect(later.read).toBeLessThan(100e6);
  });

  it('is hidden but not slowed down while others wait a bearable time, and stays so as long as it writes', () => {
    const { shown, read } = seen(times(1000, BEARABLE));
    expect([shown, read]).toEqual([LEAST_SHOWN, Number.POSITIVE_INFINITY]);
  });

  it('is read more slowly at once where standard output has what no file has', () => {
    const { shown, read } = seen(times(2, { ...PRESSED, mayHide: false }));
    expect(shown).toBe(Number.POSITIVE_INFINITY);
    expect(read).toBeLessThan(100e6);
  });

  it('always moves, and is seen', () => {
    fc.assert(
      fc.property(fc.array(looks), (looked) => {
        const { shown, read } = seen(looked);
        expect(shown).toBeGreaterThanOrEqual(LEAST_SHOWN);
        expect(read).toBeGreaterThanOrEqual(LEAST_READ);
      }),
    );
  });

  it('is not meant where it writes little: others make them wait', () => {
    expect(isFree(seen(times(100, look({ waited: 400, loudest: LEAST_SHOWN }))))).toBe(true);
  });

  it('is free again some time after nobody waits, whatever was before', () => {
    fc.assert(
      fc.property(fc.array(looks), fc.integer({ min: 0, max: 1e9 }), (looked, loudest) => {
        expect(isFree(seen(times(4000, { ...CALM, loudest }), seen(looked)))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('is read in full within seconds when they have gone home', () => {
    const slowest = seen(times(60, PRESSED));
    expect(slowest.read).toBe(LEAST_READ);
    expect(seen(times(40, CALM), slowest).read).toBe(Number.POSITIVE_INFINITY);
  });

  it('gets standard output back more and more seldom while each try is felt', () => {
    let restraint = FREE;
    const waits: number[] = [];
    for (let tries = 0; tries < 4; tries += 1) {
      restraint = seen(times(6, { ...PRESSED, loudest: 4 * LEAST_SHOWN }), restraint);
      let waited = 0;
      for (; restraint.shown === LEAST_SHOWN; waited += 1)
        restraint = adjust(restraint, { ...CALM, loudest: 1e6 });
      waits.push(waited);
    }
    expect(waits.every((each, at) => at === 0 || each > (waits[at - 1] ?? 0) * 1.5)).toBe(true);
  });
});

describe('a pace', () => {
  const RATE = 8e6;

  it('lets no more through than its rate and a little at once, whatever comes when', () => {
    const coming = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 1e6 }), ms: fc.nat(100) }));
    fc.assert(
      fc.property(coming, (pieces) => {
        const pace = new Pace();
        let [now, held, sum, last] = [0, 0, 0, 0];
        for (const { bytes, ms } of pieces) {
          now = Math.max(now + ms, held);
          held = now + pace.take(bytes, RATE, now);
          sum += bytes;
          last = bytes;
        }
        expect(((sum - last) * 1000) / RATE).toBeLessThanOrEqual(now + 51);
      }),
    );
  });

  it('never makes whoever writes less than that wait', () => {
    const pace = new Pace();
    for (let now = 0; now < 10_000; now += 20) expect(pace.take((RATE / 1000) * 20, RATE, now)).toBe(0);
  });
});
