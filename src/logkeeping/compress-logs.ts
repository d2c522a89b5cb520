/** The program `compress-logs`: removes, names and compresses the log files PID 1 has handed to it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import type { Job } from '../program/job.ts';
import type { CareWork } from '../protocol/log-care.ts';
import { adoptLogs } from './adopt-logs.ts';
import { compressFile } from './compress-file.ts';

export async function runCompressLogs(job: Job): Promise<void> {
  const { assignment, signal } = job;
  const folder = `${assignment.dataDir}/logs`;
  // PID 1 is this very program: the shape is that of protocol/log-care.ts.
  const { remove, compress, adopt } = JSON.parse(assignment.input.work ?? '{}') as CareWork;
  const failed: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    signal.throwIfAborted();
    try {
      await work();
    } catch (error) {
      signal.throwIfAborted();
      failed.push(`cannot ${what}: ${messageOf(error)}`);
      // Nothing more can be made where there is no room, or no right to.
      if (['ENOSPC', 'EDQUOT', 'EROFS'].includes(codeOf(error) ?? '')) throw new Failure(failed.join('; '));
    }
  };
  for (const file of remove) await attempt(`remove ${file}`, () => rm(join(folder, file), { force: true }));
  if (adopt.length > 0) await attempt('name the old log files', () => adoptLogs(folder, adopt));
  for (const file of compress) await attempt(`compress ${file}`, () => compressFile(folder, file, signal));
  if (failed.length > 0) throw new Failure(failed.join('; '));
}
