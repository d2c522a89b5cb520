import { expect, test } from 'vitest';
import { describeBetter } from '../../src/cli/moments-text.ts';
import type { MomentsView } from '../../src/protocol/backups.ts';

const NOW = Date.parse('2026-01-02T03:10:00Z');
const moments = (to: string): MomentsView => ({
  windows: [{ base: 'b', timeline: 1, from: '2026-01-01T00:00:00.000Z', to, hole: undefined }],
  gaps: [],
  waiting: 0,
  waitingSince: undefined,
});

test('a restore says that the archived log knows more than the backup, and only then', () => {
  const at = '2026-01-02T02:00:00.000Z';
  expect(describeBetter(moments('2026-01-02T03:00:00.000Z'), at, NOW)).toBe(
    'The archived log goes on until 2026-01-02T03:00:00.000Z, 10 min ago: bulkhead backup restore --to-latest brings that back as well.',
  );
  expect(describeBetter(moments(at), at, NOW)).toBeUndefined();
  expect(describeBetter(undefined, at, NOW)).toBeUndefined();
});
