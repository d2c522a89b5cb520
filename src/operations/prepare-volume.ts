/** A volume that no start has laid out, or that has lost its cluster. */
import { layOutRunDir, layOutVolume } from '../database/volume.ts';
import { layoutOf } from '../postgres/layout.ts';
import { APP_PASSWORD, ensureSecret, NEXTAUTH_SECRET } from '../postgres/secrets.ts';
import { databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { becomeUser } from '../system/users.ts';

/** A program that works beside a supervisor as it is, and alone behind a look at the volume. Input: `alone`. */
export function alsoAlone(program: (job: Job) => Promise<void>): (job: Job) => Promise<void> {
  return (job) => {
    if (job.assignment.input.alone !== undefined) prepareVolume(job);
    return program(job);
  };
}

/** Without a start before us nothing is there that we could rely on; after it we are the database's user alone. */
export function prepareVolume(job: Job): void {
  layOut(job);
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  ensureSecret(layout.secrets, APP_PASSWORD);
  ensureSecret(layout.secrets, NEXTAUTH_SECRET);
  becomeUser(databaseUser(job.plan.systemUser));
}

/** Its folders alone; who gives files back to their owners stays who it is. */
export function layOut(job: Job): void {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const user = databaseUser(job.plan.systemUser);
  layOutVolume(layout, user);
  layOutRunDir(layout, user);
}
