import type { Context } from '../command.ts';
import { pauseOrResume } from '../pause-jobs.ts';

export const run = (context: Context): Promise<number> =>
  pauseOrResume(context, 'resume', (of) => `jobs${of} begin again.`);
