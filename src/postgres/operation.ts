/**
 * `<pg>/op.json`: the one physical operation on the cluster that is under way, and how far it is.
 *
 *   build  a new cluster comes to be in the stage; the one in use is untouched. Interrupted, it never was.
 *   flip   the new one is whole. The next start puts it in the place of the old one, which is kept in the trash.
 *
 * Where a person has to see the new one first, it is `built` until they say yes; a start before that sweeps it.
 *
 * A flip that nobody waited for goes by once the cluster in use has lived on without it.
 *
 * The file says what the next start does, so it is written and synced before each step. `asked` comes before `build`
 * where the work needs the database stopped: the next start does it.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import type { Identity } from '../system/users.ts';
import { syncFolder, writeFileAtomic } from '../system/write-file-atomic.ts';
import type { Layout } from './layout.ts';
import { readControlFile } from './pg-control.ts';
import { STAGE } from './stages.ts';

export type OperationKind = 'restore' | 'upgrade' | 'adopt' | 'pitr' | 'rollback' | 'move-in';

export interface Operation {
  readonly schema: 1;
  readonly op: OperationKind;
  readonly step: 'asked' | 'build' | 'built' | 'flip';
  /** Major of the cluster in use; undefined: there is none. */
  readonly from: number | undefined;
  /** Major of the new one. */
  readonly to: number;
  /** Folder of the new one, relative to `<pg>`; it holds `main` until the flip. */
  readonly stage: string;
  /** ISO 8601 */
  readonly startedAt: string;
  /** ISO 8601: since when it waits for its flip. */
  readonly readyAt?: string;
  /** ISO 8601: when the flip began, written before its first rename; from then on it is finished, however late. */
  readonly flippedAt?: string;
  /** For people: "restore of 20261121T020000Z-base-3f9ac1". */
  readonly what: string;
}

const FILE = 'op.json';

export function newOperation(
  op: OperationKind,
  facts: Pick<Operation, 'from' | 'to' | 'what'>,
  now = new Date(),
): Operation {
  const stage = `${STAGE}${op}-${randomBytes(4).toString('hex')}`;
  return { schema: 1, op, step: 'build', stage, startedAt: now.toISOString(), ...facts };
}

/** The next start flips it. */
export function readyToFlip(operation: Operation, now = new Date()): Operation {
  return { ...operation, step: 'flip', readyAt: now.toISOString() };
}

/** A step of a person who was cut off: done by whatever start comes hours or weeks later, it would surprise everybody. */
export const WAITS_FOR_MS = 10 * 60_000;

/**
 * The cluster in use went on long after the new one was ready to take its place, so that a flip would take away all
 * that was written since. A volume on which nothing ran meanwhile can wait for its start as long as it likes.
 */
export function isOutlived(layout: Pick<Layout, 'pg'>, operation: Operation): boolean {
  const { step, from, stage, startedAt, readyAt = startedAt, flippedAt } = operation;
  if (step !== 'flip' || flippedAt !== undefined || from === undefined) return false;
  if (!existsSync(join(layout.pg, stage, 'main'))) return false;
  try {
    const { writtenAt } = readControlFile(join(layout.pg, String(from), 'main'));
    return writtenAt - Date.parse(readyAt) > WAITS_FOR_MS;
  } catch {
    // What cannot be read is no cluster that lives.
    return false;
  }
}

/** Undefined where none is under way. Throws a Failure where the file cannot be understood. */
export function readOperation({ pg }: Pick<Layout, 'pg'>): Operation | undefined {
  const path = join(pg, FILE);
  try {
    const found: Operation = JSON.parse(readFileSync(path, 'utf8'));
    if (
      found.schema !== 1 ||
      !['asked', 'build', 'built', 'flip'].includes(found.step) ||
      !isInside(found.stage)
    ) {
      throw new Error('it is not of the form this version of Bulkhead writes');
    }
    return found;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw new Failure(`cannot read ${path}: ${messageOf(error)}`, {
      remedy: 'start the version of Bulkhead that wrote it; nothing on the volume was changed',
      cause: error,
    });
  }
}

/**
 * On the disk when it returns.
 * @param user the database's: a program that is that user reads on where a start of root's was cut off; nobody may forget it
 */
export function writeOperation(
  { pg }: Pick<Layout, 'pg'>,
  operation: Operation,
  user: Identity | undefined,
): void {
  const owner = process.geteuid?.() === 0 ? user : undefined;
  writeFileAtomic(join(pg, FILE), `${JSON.stringify(operation, null, 2)}\n`, { mode: 0o600, owner });
}

export function clearOperation({ pg }: Pick<Layout, 'pg'>): void {
  rmSync(join(pg, FILE), { force: true });
  syncFolder(pg);
}

/** Held while somebody works on a stage, so that a start beside it leaves that stage alone. */
export function operationLock({ pg }: Pick<Layout, 'pg'>): string {
  return join(pg, 'op.lock');
}

/** Where the cluster that was in use goes: `<time>-<why>`, below the trash; the time is that at which it went out of use. */
export function keptName({
  op,
  startedAt,
  flippedAt = startedAt,
}: Pick<Operation, 'op' | 'startedAt' | 'flippedAt'>): string {
  return `${flippedAt.replaceAll(/[-:]|\.\d+/g, '')}-${op}`;
}

/** A stage of ours, or a cluster of the trash that is brought back. */
function isInside(stage: unknown): boolean {
  return typeof stage === 'string' && /^(\.stage-[\w-]+|trash\/[\w-]+\/\d+)$/.test(stage);
}
