import type { Context } from '../command.ts';
import { pauseOrResume } from '../pause-jobs.ts';

export const run = (context: Context): Promise<number> =>
  pauseOrResume(
    context,
    'pause',
    (of) =>
      `paused: no more jobs${of} begin; those that run go on. Go on with: bulkhead job resume${of.replace(' of', '')}`,
  );
