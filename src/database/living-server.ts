/** The server that still lives on the cluster when the task `cluster` begins. */
import { join } from 'node:path';
import { listMajors } from '../postgres/find-cluster.ts';
import type { Layout } from '../postgres/layout.ts';
import { readOperation } from '../postgres/operation.ts';
import type { Job } from '../program/job.ts';
import { readProcess } from '../system/process-table.ts';
import { findPostmaster, stopPostmaster } from './stale-server.ts';

/**
 * True where this supervisor's own database runs, as in `bulkhead restart cluster` alone: its sockets and files are in
 * use, and nothing may be put in the place of its cluster. One of an earlier life is stopped, because an operation may
 * be about to move the folder it writes to.
 */
export async function leavesLivingServer(job: Job, layout: Layout): Promise<boolean> {
  for (const folder of clusterFolders(layout)) {
    const pid = findPostmaster(folder);
    if (pid === undefined) continue;
    if (readProcess(pid)?.parent !== process.ppid) {
      await stopPostmaster(pid, folder, job.say);
      continue;
    }
    const waiting = readOperation(layout);
    if (waiting?.step === 'flip' || waiting?.step === 'asked') {
      job.note(
        `the database is running, so the ${waiting.what} waits: bulkhead restart --dependents cluster brings it into force`,
      );
    } else job.say(`the database is running (pid ${pid}): its folders stay as they are`);
    return true;
  }
  return false;
}

function clusterFolders(layout: Layout): string[] {
  try {
    return listMajors(layout).map((major) => join(layout.pg, major, 'main'));
  } catch {
    // What we may not look at is refused in words by what comes next.
    return [];
  }
}
