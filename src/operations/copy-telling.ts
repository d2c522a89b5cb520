/** Copies the folder of a cluster and says how far it is. */
import { constants } from 'node:fs';
import { cp } from 'node:fs/promises';
import { formatSize } from '../base/size.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import { sizeOf } from './cluster-facts.ts';

/** What is there is summed up so often; a cluster has thousands of files. ms */
const LOOK_EVERY = 1000;

/** `bytes`: about as many will be there at the end. Where the file system can, the copy shares the blocks. */
export async function copyTelling(
  job: Job,
  what: string,
  { from, to, bytes }: { readonly from: string; readonly to: string; readonly bytes: number },
): Promise<void> {
  const progress = tellProgress(what, job.report, job.say);
  const look = (): void => {
    const done = Math.min(bytes, sizeOf(to));
    progress.tell(done, bytes, `${formatSize(done)} of ${formatSize(bytes)} copied`);
  };
  progress.tell(0, bytes, `copying ${formatSize(bytes)}`);
  const timer = setInterval(look, LOOK_EVERY);
  try {
    await cp(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE });
  } finally {
    clearInterval(timer);
  }
}
