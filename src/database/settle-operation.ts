/** What a start does with a physical operation that is under way: it is finished, or it never was. */
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure, messageOf } from '../base/errors.ts';
import { readIdentity, readSystemIdentifier, writeIdentity } from '../postgres/identity.ts';
import type { Layout } from '../postgres/layout.ts';
import {
  clearOperation,
  isOutlived,
  keptName,
  type Operation,
  operationLock,
  readOperation,
  WAITS_FOR_MS,
  writeOperation,
} from '../postgres/operation.ts';
import { STAGE } from '../postgres/stages.ts';
import type { Job } from '../program/job.ts';
import type { Identity } from '../system/users.ts';
import { syncFolder } from '../system/write-file-atomic.ts';
import { finishBelongings, removeBelongings } from './belongings.ts';
import { pointCurrentTo } from './point-current.ts';

/** Does what was asked for while the database is stopped; what fails in it is rolled back by itself. */
export type DoAsked = (job: Job, operation: Operation) => Promise<void>;

interface Settled {
  /** The stage that must not be swept, because somebody works in it beside us. */
  readonly stageInUse: string | undefined;
  /** An operation was found, and it is finished or gone now. */
  readonly settled: boolean;
}

/**
 * To be called before anybody looks for the cluster, under the lock of the volume. Throws a Failure where op.json
 * cannot be understood or a flip cannot be finished.
 */
export async function settleOperation(
  job: Job,
  layout: Layout,
  user: Identity,
  doAsked: DoAsked,
): Promise<Settled> {
  let operation = readOperation(layout);
  const asked = operation?.step === 'asked';
  if (operation?.step === 'asked') {
    if (Date.now() - Date.parse(operation.startedAt) > WAITS_FOR_MS) {
      job.note(
        `${operation.what} was asked for at ${operation.startedAt} and not done: asked for too long ago`,
      );
    } else {
      await tryAsked(job, operation, doAsked);
    }
    operation = readOperation(layout);
  }
  if (operation === undefined) return { stageInUse: undefined, settled: asked };
  const { takeLockInTurn } = await import('../system/lock.ts');
  const lock = takeLockInTurn(operationLock(layout));
  try {
    // Whoever held the lock until now may have brought it further.
    operation = readOperation(layout);
    if (operation === undefined) return { stageInUse: undefined, settled: asked };
    if (operation.step === 'flip' && !isOutlived(layout, operation)) flip(job, layout, user, operation);
    else if (lock === undefined) return { stageInUse: operation.stage, settled: asked };
    else sweep(job, layout, user, operation);
    return { stageInUse: undefined, settled: true };
  } finally {
    lock?.release();
  }
}

function flip(job: Job, layout: Layout, user: Identity, operation: Operation): void {
  const kept = finishFlip(layout, user, operation, job.note);
  const before = operation.from === undefined ? '' : `; the cluster before it is in trash/${kept}`;
  job.note(`${operation.what} is in force${before}`);
}

function sweep(job: Job, layout: Layout, user: Identity, operation: Operation): void {
  const { what, step, readyAt = operation.startedAt } = operation;
  // Killed in the middle of it, the next start must not flip what is left.
  if (step === 'flip') writeOperation(layout, { ...operation, step: 'build' }, user);
  removeStage(layout, operation);
  clearOperation(layout);
  if (step === 'build') job.note(`${what} was interrupted: nothing has changed`);
  if (step === 'flip') {
    job.note(
      `${what} was ready at ${readyAt} and never came into force; the cluster in use has gone on without it, and stays`,
    );
  }
}

/** What cannot be done leaves the cluster that is in use, and that one is started. */
async function tryAsked(job: Job, operation: Operation, doAsked: DoAsked): Promise<void> {
  try {
    await doAsked(job, operation);
  } catch (error) {
    if (job.signal.aborted) throw error;
    const remedy = error instanceof Failure && error.remedy !== undefined ? `; ${error.remedy}` : '';
    job.note(`the ${operation.what} failed, and nothing has changed: ${messageOf(error)}${remedy}`);
  }
}

/**
 * Each line is one rename that can be done again or not at all. While the stage holds `main`, whatever stands in its
 * place is the old cluster; once it does not, the new one is in its place. Returns the name below the trash of the one
 * that was in use.
 */
export function finishFlip(
  layout: Layout,
  user: Identity,
  found: Operation,
  note: (text: string) => void = () => undefined,
): string {
  const { pg } = layout;
  const operation = beginFlip(layout, user, found);
  const staged = join(pg, operation.stage, 'main');
  const place = join(pg, String(operation.to));
  if (existsSync(staged)) {
    moveToTrash(layout, user, operation, operation.to);
    makeFolder(place, user);
    renameSync(staged, join(place, 'main'));
    syncFolder(place);
    syncFolder(dirname(staged));
  } else if (!existsSync(join(place, 'main'))) {
    throw new Failure(`cannot finish the ${operation.what}: neither ${staged} nor ${place}/main is there`, {
      remedy: `put back what was moved away from ${pg}; the cluster before it is in ${join(layout.trash, keptName(operation))}`,
    });
  }
  pointCurrentTo(layout, operation.to);
  if (operation.from !== undefined && operation.from !== operation.to) {
    moveToTrash(layout, user, operation, operation.from);
  }
  const identity = readIdentity(layout.identity);
  if (identity) {
    const systemIdentifier = readSystemIdentifier(join(place, 'main'));
    writeIdentity(layout.identity, {
      ...identity,
      pgMajor: operation.to,
      systemIdentifier,
      everHadData: true,
    });
  }
  if (operation.op === 'move-in') for (const text of finishBelongings(layout, operation.stage)) note(text);
  clearOperation(layout);
  removeStage(layout, operation);
  return keptName(operation);
}

/** The moment at which the cluster in use goes out of use is written down once, whoever finishes what it begins. */
function beginFlip(layout: Layout, user: Identity, operation: Operation): Operation {
  if (operation.flippedAt !== undefined) return operation;
  // A clock that runs behind must not make it older than the operation.
  const at = Math.max(Date.now(), Date.parse(operation.readyAt ?? operation.startedAt));
  const begun = { ...operation, flippedAt: new Date(at).toISOString() };
  writeOperation(layout, begun, user);
  return begun;
}

/** What was brought back from the trash leaves empty folders there, and nothing else of it is ours to remove. */
function removeStage(layout: Layout, { op, stage }: Operation): void {
  const { pg } = layout;
  if (op === 'move-in') removeBelongings(layout, stage);
  if (stage.startsWith(STAGE)) {
    rmSync(join(pg, stage), { recursive: true, force: true });
    return;
  }
  for (const folder of [join(pg, stage), dirname(join(pg, stage))]) {
    if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
  }
}

function moveToTrash(layout: Layout, user: Identity, operation: Operation, major: number): void {
  const folder = join(layout.pg, String(major), 'main');
  if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) return;
  const kept = join(layout.trash, keptName(operation));
  const place = join(kept, String(major));
  for (const path of [layout.trash, kept, place]) makeFolder(path, user);
  renameSync(folder, join(place, 'main'));
  syncFolder(place);
  syncFolder(dirname(folder));
}

function makeFolder(path: string, user: Identity): void {
  if (existsSync(path)) return;
  mkdirSync(path, { mode: 0o700 });
  if (process.geteuid?.() === 0) chownSync(path, user.uid, user.gid);
  syncFolder(dirname(path));
}
