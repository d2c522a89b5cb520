import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CronTimes, parseCron } from '../../src/base/cron.ts';

const HOUR = 3_600_000;

function timesOf(expression: string): CronTimes {
  const times = parseCron(expression, 'Europe/Berlin');
  if ('why' in times) throw new Error(times.why);
  return times;
}

describe('the next time of a schedule', () => {
  it('is the same whoever was asked before, and for which moment', () => {
    // Around the night in which the clocks go forward, and back and forth in it.
    const start = Date.UTC(2026, 2, 28);
    fc.assert(
      fc.property(
        fc.constantFrom('30 2 * * *', '*/20 * * * *', '0 4 * * 0'),
        fc.array(fc.integer({ min: 0, max: 48 * HOUR }), { minLength: 2, maxLength: 8 }),
        (expression, offsets) => {
          const times = timesOf(expression);
          for (const offset of offsets) {
            expect(times.after(start + offset)).toBe(timesOf(expression).after(start + offset));
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
