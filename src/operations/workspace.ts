/** A physical operation from its first word to the moment the next start puts its cluster in place. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { makeOwned } from '../postgres/initdb.ts';
import type { Layout } from '../postgres/layout.ts';
import {
  clearOperation,
  isOutlived,
  type Operation,
  operationLock,
  readOperation,
  readyToFlip,
  writeOperation,
} from '../postgres/operation.ts';
import { STAGE } from '../postgres/stages.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { freeBytes } from '../system/files.ts';
import { type Lock, takeLockInTurn } from '../system/lock.ts';
import type { Identity } from '../system/users.ts';
import { syncFolder } from '../system/write-file-atomic.ts';

export interface Workspace {
  /** The stage; private to the database's user. */
  readonly folder: string;
  /** Where the new cluster comes to be, in the stage. */
  readonly cluster: string;
}

export interface WorkspaceRequest {
  readonly layout: Layout;
  readonly user: Identity;
  readonly operation: Operation;
  /** Bytes the work will take on the volume. */
  readonly needed: number;
  /** `built`: the next start flips only when `confirmOperation` was called before. `flip` if undefined. */
  readonly upTo?: 'flip' | 'built';
}

/**
 * Lets `build` fill the workspace with a whole cluster, stopped and synced; then the next start flips. Whatever fails
 * leaves the volume as it was. Throws a Failure where another operation is under way.
 */
export async function buildCluster(
  { layout, user, operation, needed, upTo = 'flip' }: WorkspaceRequest,
  build: (workspace: Workspace) => Promise<void>,
): Promise<void> {
  const lock = lockOperations(layout);
  try {
    refuseOthers(layout, operation);
    requireRoom(layout, operation, needed);
    const folder = join(layout.pg, operation.stage);
    writeOperation(layout, { ...operation, step: 'build' }, user);
    try {
      makeOwned(folder, user);
      await build({ folder, cluster: join(folder, 'main') });
      syncFolder(folder);
      writeOperation(layout, upTo === 'flip' ? readyToFlip(operation) : { ...operation, step: upTo }, user);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      clearOperation(layout);
      throw error;
    }
  } finally {
    lock.release();
  }
}

/** Has the next start do something that needs no work before: what is asked for, or a flip of what is there. */
export function orderOperation(layout: Layout, user: Identity, operation: Operation): void {
  const lock = lockOperations(layout);
  try {
    refuseOthers(layout, operation);
    writeOperation(layout, operation, user);
  } finally {
    lock.release();
  }
}

/**
 * Lets the next start flip what was built, after `before` has done what has to be true by then; what throws in it leaves
 * the operation unconfirmed. Throws a Failure where what was built is not there any more.
 */
export async function confirmOperation(
  layout: Layout,
  user: Identity,
  stage: string,
  before: (operation: Operation) => Promise<void>,
): Promise<Operation> {
  const lock = lockOperations(layout);
  try {
    const operation = readOperation(layout);
    if (operation?.stage !== stage || operation.step !== 'built') {
      throw new Failure(
        'cannot put the new cluster in place: a start has swept it, or another one was made',
        {
          remedy: 'begin again; nothing has changed',
          exitCode: CommandExit.refused,
        },
      );
    }
    await before(operation);
    writeOperation(layout, readyToFlip(operation), user);
    return operation;
  } finally {
    lock.release();
  }
}

/** Removes what was built and not confirmed. */
export function discardOperation(layout: Layout, stage: string): void {
  const lock = lockOperations(layout);
  try {
    const operation = readOperation(layout);
    if (operation?.stage !== stage || operation.step !== 'built') return;
    rmSync(join(layout.pg, stage), { recursive: true, force: true });
    clearOperation(layout);
  } finally {
    lock.release();
  }
}

function lockOperations(layout: Layout): Lock {
  const lock = takeLockInTurn(operationLock(layout));
  if (lock) return lock;
  throw new Failure('cannot work on the cluster: a restore, an upgrade or an adoption is running', {
    remedy: 'wait until it has ended: bulkhead logs',
    exitCode: CommandExit.refused,
  });
}

/** What a killed one left is swept; what is whole waits for a start, and is not thrown away by another wish. */
function refuseOthers(layout: Layout, operation: Operation): void {
  const other = readOperation(layout);
  if (other === undefined || other.stage === operation.stage) return;
  if (other.step === 'flip') {
    const wait = isOutlived(layout, other)
      ? ['was ready and never came into force', 'let a start remove it']
      : ['is ready and waits for a start', 'let it come into force'];
    throw new Failure(`cannot begin the ${operation.what}: the ${other.what} ${wait[0]}`, {
      remedy: `${wait[1]}: bulkhead restart --dependents cluster, or start the container`,
      exitCode: CommandExit.refused,
    });
  }
  if (other.stage.startsWith(STAGE)) rmSync(join(layout.pg, other.stage), { recursive: true, force: true });
  clearOperation(layout);
}

function requireRoom({ pg }: Layout, { what }: Operation, needed: number): void {
  const free = freeBytes(pg);
  if (free >= needed) return;
  throw new Failure(
    `cannot begin the ${what}: it needs ${formatSize(needed)} of free space, and ${pg} has ${formatSize(free)}`,
    { remedy: 'make room on the volume; nothing was changed', exitCode: CommandExit.refused },
  );
}
