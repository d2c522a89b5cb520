/** One backup of a database, made whole, shown to be good, and encrypted where the plan says so. */
import { Failure } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { lockDatabases } from '../postgres/app-database.ts';
import { connectAsSuperuser, type Server, serverOf } from '../postgres/connect.ts';
import { readIdentity } from '../postgres/identity.ts';
import type { Job } from '../program/job.ts';
import type { BackupLabel, MadeBackup, VerifyLevel } from '../protocol/backups.ts';
import { freeBytes } from '../system/files.ts';
import { requireRoom } from './backups-room.ts';
import { copyBaseInto, readBaseFacts } from './base-backup.ts';
import { dumpInto, readDatabaseSize } from './dump-backup.ts';
import { encryptBackup } from './encrypt-backup.ts';
import { type BackupMaking, makeBackup } from './make-backup.ts';
import { type GapDoor, openGapDoor } from './moments.ts';
import type { PostgresPlace } from './postgres-place.ts';
import { readShelf, viewOf, type WholeBackup } from './shelf.ts';
import { stepAside } from './step-aside.ts';
import { placeToVerify, sizeOf, verifyBackup } from './verify-backup.ts';

/** Larger databases are restored only when somebody asks for it: it takes their size again, and their time. */
const RESTORE_BELOW = 2 * 1024 ** 3;
/** Tables and indexes anew, and the WAL they make. */
const RESTORE_FACTOR = 1.5;

export interface DatabaseBackup {
  readonly kind: 'dump' | 'base';
  /** How deeply to verify; undefined: as deep as time and room allow. */
  readonly level?: VerifyLevel | undefined;
  /** Why it was made, where it is not one of those people or schedules ask for; who asks holds the databases' lock. */
  readonly label?: BackupLabel;
}

/** Under the lock of the backups. Throws a Failure where it cannot be made, or is no good. */
export async function makeDatabaseBackup(
  job: Job,
  place: PostgresPlace,
  root: string,
  { kind, level: wanted, label }: DatabaseBackup,
): Promise<MadeBackup> {
  const began = performance.now();
  const { making, restoredSize, gap } = await prepare(job, place, root, kind, label !== undefined);
  try {
    const backup = await makeBackup(label === undefined ? making : { ...making, label });
    const made = await prove(job, place, backup, { restoredSize, wanted, began });
    const ended = gap?.close();
    if (ended) job.say(`the write-ahead log is archived again; it was not since ${ended.since}`);
    return made;
  } catch (error) {
    gap?.reopen();
    throw error;
  }
}

async function prove(
  job: Job,
  place: PostgresPlace,
  backup: WholeBackup,
  { restoredSize, wanted, began }: Proving,
): Promise<MadeBackup> {
  const durationMs = Math.round(performance.now() - began);
  const { level, at } = chooseLevel(job, place, backup, restoredSize, wanted);
  // Who waits for it is not kept waiting.
  if (backup.manifest.label === undefined) stepAside();
  const verified = await verifyBackup(job, at, backup, level);
  if (!verified.ok) {
    throw new Failure(`cannot rely on the backup ${backup.id}: ${verified.problem}`, {
      remedy: 'it is kept and marked as bad; look at the disk and the log, then run it again',
    });
  }
  const { recipients } = job.backups;
  const kept =
    backup.kind === 'dump' && recipients.length > 0
      ? await encryptBackup(backup, recipients, job.signal)
      : backup;
  return { backup: viewOf({ ...kept, verified }), durationMs, verified };
}

interface Proving {
  readonly restoredSize: number;
  readonly wanted: VerifyLevel | undefined;
  /** By performance.now() */
  readonly began: number;
}

interface Prepared {
  readonly making: BackupMaking;
  /** Bytes a restored copy will take. */
  readonly restoredSize: number;
  /** Of a base backup. */
  readonly gap?: GapDoor;
}

/** Everything that can be known to be wrong before a byte is written. */
async function prepare(
  job: Job,
  place: PostgresPlace,
  root: string,
  kind: 'dump' | 'base',
  isLocked: boolean,
): Promise<Prepared> {
  const server = serverOf(job.assignment, job.plan);
  const common = {
    root,
    kind,
    installId: readIdentity(place.layout.identity)?.installId,
    signal: job.signal,
  };
  const locked = (fill: BackupMaking['fill']): BackupMaking['fill'] => {
    return isLocked ? fill : (stage) => whileLocked(server, () => fill(stage));
  };
  if (kind === 'base') {
    const facts = await readBaseFacts(server);
    requireRoom(root, facts.size, job.backups.diskFloor);
    const fill = locked((stage) => copyBaseInto(job, server, place, facts, stage));
    const gap = openGapDoor(root, place.layout);
    return { making: { ...common, fill }, restoredSize: facts.size, gap };
  }
  const size = await readDatabaseSize(server, job.plan.name);
  const last = readShelf(root, [kind]).find(({ broken }) => broken === undefined);
  // As the last one and a bit more; of the first it is known only that it is packed, and has no indexes.
  const needed = last === undefined ? size / 2 : sizeOf(last as WholeBackup) * 1.2;
  requireRoom(root, needed, job.backups.diskFloor);
  const fill = locked((stage) => dumpInto({ job, server, place, stage }));
  return { making: { ...common, fill }, restoredSize: size };
}

/** An import that swaps the database in the midst of a dump would end it; where the server is not ours, none swaps. */
async function whileLocked<T>(server: Server, work: () => Promise<T>): Promise<T> {
  if (server.external) return work();
  const session = await connectAsSuperuser(server);
  try {
    await lockDatabases(session);
    return await work();
  } finally {
    await session.end();
  }
}

function chooseLevel(
  job: Job,
  place: PostgresPlace,
  backup: WholeBackup,
  size: number,
  wanted: VerifyLevel | undefined,
): { readonly level: VerifyLevel; readonly at: PostgresPlace } {
  const why =
    size >= RESTORE_BELOW
      ? `the database has ${formatSize(size)}`
      : freeBytes(place.layout.pg) - size * RESTORE_FACTOR < job.backups.diskFloor
        ? 'the disk has no room for a copy'
        : undefined;
  if (wanted === undefined && why !== undefined) {
    job.note(
      `the backup was read to its end but not restored: ${why}; bulkhead backup verify latest --level restored does`,
    );
    return { level: 'readable', at: place };
  }
  return placeToVerify(job, place, backup, wanted ?? 'restored');
}
