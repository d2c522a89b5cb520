import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judgePooler } from '../../src/database/pooler.ts';

const pid = fc.integer({ min: 1, max: 4_000_000 });

describe('what stands between us and the server', () => {
  test('is nothing where the greeting named the backend that answers', () => {
    fc.assert(
      fc.property(pid, pid, (a, b) => {
        fc.pre(a !== b);
        expect(judgePooler({ greeted: a, ours: [a, a, a], others: [b, b, b] })).toBe('none');
      }),
    );
  });

  test('is a pooler that keeps sessions whole where only the greeting was made up', () => {
    fc.assert(
      fc.property(pid, pid, pid, (greeted, a, b) => {
        fc.pre(a !== b && greeted !== a);
        expect(judgePooler({ greeted, ours: [a, a], others: [b, b] })).toBe('session');
      }),
    );
  });

  test('is a transaction pooler where open sessions share a backend, or one changes its own', () => {
    fc.assert(
      fc.property(pid, pid, fc.array(pid, { minLength: 1 }), (a, b, rest) => {
        fc.pre(a !== b);
        expect(judgePooler({ greeted: a, ours: [a], others: [...rest, a] })).toBe('transaction');
        expect(judgePooler({ greeted: a, ours: [a, b], others: rest })).toBe('transaction');
      }),
    );
  });
});
