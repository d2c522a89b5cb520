/** A volume that no start has laid out, or that has lost its cluster. */
import { layOutRunDir, layOutVolume } from '../database/volume.ts';
import { layoutOf } from '../postgres/layout.ts';
import { APP_PASSWORD, ensureSecret, NEXTAUTH_SECRET, readSecret } from '../postgres/secrets.ts';
import { databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { becomeUser } from '../system/users.ts';

/** A program that works beside a supervisor as it is, and alone behind a look at the volume. Input: `alone`. */
export function alsoAlone(program: (job: Job) => Promise<void>): (job: Job) => Promise<void> {
  return (job) => {
    return program(job.assignment.input.alone === undefined ? job : prepareVolume(job));
  };
}

/**
 * Without a start before us nothing is there that we could rely on; after it we are the database's user alone. Returns
 * the job with the password that was made just now: the folder of secrets is closed to that user.
 */
export function prepareVolume(job: Job): Job {
  layOut(job);
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  ensureSecret(layout.secrets, APP_PASSWORD);
  ensureSecret(layout.secrets, NEXTAUTH_SECRET);
  const { assignment } = job;
  const appPassword = assignment.secrets.appPassword ?? readSecret(layout.secrets, APP_PASSWORD);
  becomeUser(databaseUser(job.plan.systemUser));
  const secrets = { ...assignment.secrets, ...(appPassword === undefined ? {} : { appPassword }) };
  return { ...job, assignment: { ...assignment, secrets } };
}

/** Its folders alone; who gives files back to their owners stays who it is. */
export function layOut(job: Job): void {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const user = databaseUser(job.plan.systemUser);
  layOutVolume(layout, user);
  layOutRunDir(layout, user);
}
