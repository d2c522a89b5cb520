import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareOut } from '../../src/system/share-out.ts';

test('never more than the most, all where there is room, and nobody goes short beside one who has more than an even share', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 12 }),
      fc.integer({ min: 12, max: 256 }),
      (lengths, most) => {
        const lists = new Map(lengths.map((length, name) => [`${name}`, Array(length).fill(name)]));
        const shared = shareOut(lists, most);
        const counts = lengths.map((_, name) => shared.filter(({ of }) => of === `${name}`).length);
        const wanted = lengths.reduce((sum, length) => sum + length, 0);
        expect(shared).toHaveLength(Math.min(most, wanted));
        const largest = Math.max(0, ...counts);
        for (const [name, length] of lengths.entries()) {
          if ((counts[name] ?? 0) < length) expect(counts[name]).toBeGreaterThanOrEqual(largest - 1);
        }
      },
    ),
  );
});
