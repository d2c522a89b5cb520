/** The folder of the backups while somebody works in it: one at a time, on a disk with room. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { sweepStages, VERIFY_STAGE } from '../postgres/stages.ts';
import type { Job } from '../program/job.ts';
import { BACKUP_KINDS } from '../protocol/backups.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { freeBytes } from '../system/files.ts';
import { type Lock, takeLockInTurn } from '../system/lock.ts';
import { settleReplaced } from './replaced.ts';
import { endLeftover } from './scratch-cluster.ts';

/** Held by whoever makes, verifies, restores or removes backups. Throws a Failure where another one does. */
export function lockBackups(root: string): Lock {
  const lock = takeLockInTurn(join(root, 'lock'));
  if (lock) return lock;
  throw new Failure('cannot work on the backups: another backup, verification or restore is running', {
    remedy: 'wait until it has ended, see `bulkhead logs`',
    exitCode: CommandExit.refused,
  });
}

/** How often it is looked whether the other one has ended. ms */
const LOOK_EVERY = 1000;

/** As lockBackups; with the input `wait` it waits until the other one has ended, or until it is asked to stop. */
export async function lockBackupsInTurn(job: Job, root: string): Promise<Lock> {
  let isTold = false;
  for (;;) {
    try {
      return lockBackups(root);
    } catch (error) {
      const isHeld = error instanceof Failure && error.exitCode === CommandExit.refused;
      if (!isHeld || job.assignment.input.wait === undefined) throw error;
    }
    if (!isTold) job.say('waits: another backup, verification or restore is running');
    isTold = true;
    await delay(LOOK_EVERY, undefined, { signal: job.signal });
  }
}

/** Under the lock: what a killed run left behind, here and beside the cluster. */
export async function sweepLeftovers(root: string, pg: string): Promise<void> {
  for (const kind of BACKUP_KINDS) {
    const shelf = join(root, kind);
    if (!existsSync(shelf)) continue;
    settleReplaced(shelf);
    sweepStages(shelf);
  }
  for (const name of existsSync(pg) ? readdirSync(pg) : []) {
    if (!name.startsWith(VERIFY_STAGE)) continue;
    await endLeftover(join(pg, name, 'main'));
    rmSync(join(pg, name), { recursive: true, force: true });
  }
}

/** Throws a Failure where so many bytes more would leave less than the floor. */
export function requireRoom(root: string, needed: number, floor: number): void {
  const free = freeBytes(root);
  if (free - needed >= floor) return;
  throw new Failure(
    `cannot make a backup: it needs about ${formatSize(needed)} and ${formatSize(floor)} must stay free, but ${root} has ${formatSize(free)} left`,
    {
      remedy: 'make room on the volume or enlarge it, or set backups.disk_floor lower; nothing was changed',
      code: 'no-room',
      exitCode: CommandExit.refused,
    },
  );
}
