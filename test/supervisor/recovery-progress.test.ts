import { expect, test } from 'vitest';
import type { Progress } from '../../src/protocol/status.ts';
import { type FollowLines, followRecovery } from '../../src/supervisor/recovery-progress.ts';

test('what PostgreSQL says of its replay is told in percent and time that is left, until it is done', () => {
  let heard: ((line: string) => void) | undefined;
  const follow: FollowLines = (listener) => {
    heard = listener;
    return () => {
      heard = undefined;
    };
  };
  const told: Progress[] = [];
  followRecovery({ type: 'recovery', from: 0x1_0000_0000, to: 0x1_4000_0000 }, follow, (progress) =>
    told.push(progress),
  );
  heard?.('[12] LOG:  redo starts at 1/0');
  heard?.('[12] LOG:  redo in progress, elapsed time: 5.00 s, current LSN: 1/10000000');
  heard?.('[12] LOG:  redo in progress, elapsed time: 20.00 s, current LSN: 1/40000000');
  heard?.('[12] LOG:  redo done at 1/3FFFFF00 system usage: …');
  expect(heard).toBeUndefined();
  const what = 'replaying the write-ahead log';
  expect(told).toEqual([
    { what, percent: undefined, detail: '1.0 GB' },
    { what, percent: 25, detail: '256 MB of 1.0 GB, about 15 s left' },
    { what, percent: 100, detail: '1.0 GB of 1.0 GB' },
  ]);
});
