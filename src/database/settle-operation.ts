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
  keptName,
  type Operation,
  operationLock,
  readOperation,
} from '../postgres/operation.ts';
import { STAGE } from '../postgres/stages.ts';
import type { Job } from '../program/job.ts';
import type { Identity } from '../system/users.ts';
import { syncFolder } from '../system/write-file-atomic.ts';
import { finishBelongings, removeBelongings } from './belongings.ts';
import { pointCurrentTo } from './point-current.ts';

/** Does what was asked for while the database is stopped; what fails in it is rolled back by itself. */
export type DoAsked = (job: Job, operation: Operation) => Promise<void>;

/** A wish of a person who did not wait for it: done hours later, it would surprise everybody. */
const ASKED_FOR_MS = 10 * 60_000;

/**
 * To be called before anybody looks for the cluster, under the lock of the volume. Returns the stage that must not be
 * swept, because somebody works in it beside us.
 */
export async function settleOperation(
  job: Job,
  layout: Layout,
  user: Identity,
  doAsked: DoAsked,
): Promise<string | undefined> {
  let operation = readOperation(layout);
  if (operation?.step === 'asked') {
    if (Date.now() - Date.parse(operation.startedAt) > ASKED_FOR_MS) {
      job.note(
        `${operation.what} was asked for at ${operation.startedAt} and not done: asked for too long ago`,
      );
    } else {
      await tryAsked(job, operation, doAsked);
    }
    operation = readOperation(layout);
  }
  if (operation === undefined) return undefined;
  if (operation.step === 'flip') {
    finishFlip(layout, user, operation, job.note);
    const kept =
      operation.from === undefined ? '' : `; the cluster before it is in trash/${keptName(operation)}`;
    job.note(`${operation.what} is in force${kept}`);
    return undefined;
  }
  const { takeLock } = await import('../system/lock.ts');
  const lock = takeLock(operationLock(layout));
  if (lock === undefined) return operation.stage;
  try {
    removeStage(layout, operation);
    clearOperation(layout);
    if (operation.step === 'build') job.note(`${operation.what} was interrupted: nothing has changed`);
    return undefined;
  } finally {
    lock.release();
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
 * place is the old cluster; once it does not, the new one is in its place.
 */
export function finishFlip(
  layout: Layout,
  user: Identity,
  operation: Operation,
  note: (text: string) => void = () => undefined,
): void {
  const { pg } = layout;
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
