/**
 * The archive of one cluster's log: `<data>/wal/<systemIdentifier>-<major>/`. A segment, a history of a timeline or a
 * label of a base backup has the name PostgreSQL gave it, and beside it NAME.sha256 as sha256sum writes it; whatever is
 * there under its name is whole.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../base/errors.ts';
import { syncFolder } from '../system/write-file-atomic.ts';
import { parseSegment, SEGMENT_SIZE } from './segments.ts';
import { type Fork, parseHistory, parseHistoryName } from './timelines.ts';

/** Another cluster, or another major of it, begins to count anew and must not meet these names. */
export function archiveFolder(dataDir: string, systemIdentifier: string, major: number): string {
  return join(dataDir, 'wal', `${systemIdentifier}-${major}`);
}

export interface ArchivedSegment {
  readonly timeline: number;
  readonly number: bigint;
  /** When PostgreSQL last wrote to it, in ms since the epoch: no transaction in it is younger. */
  readonly at: number;
}

export interface Archive {
  readonly folder: string;
  /** Bytes of a segment. */
  readonly segmentSize: number;
  readonly segments: readonly ArchivedSegment[];
  /** By timeline. */
  readonly histories: ReadonlyMap<number, readonly Fork[]>;
  /** By timeline: when its history was put here, in ms since the epoch. */
  readonly begun: ReadonlyMap<number, number>;
}

/** An archive that is not there holds nothing. */
export function readArchive(folder: string): Archive {
  const names = readNames(folder);
  const first = names.find((name) => /^[0-9A-F]{24}$/.test(name));
  const segmentSize = first === undefined ? SEGMENT_SIZE : statSync(join(folder, first)).size;
  const segments: ArchivedSegment[] = [];
  const histories = new Map<number, readonly Fork[]>();
  const begun = new Map<number, number>();
  for (const name of names) {
    const segment = parseSegment(name, segmentSize);
    const timeline = parseHistoryName(name);
    if (segment === undefined && timeline === undefined) continue;
    const stat = statSync(join(folder, name), { throwIfNoEntry: false });
    if (timeline !== undefined) {
      histories.set(timeline, parseHistory(readFileSync(join(folder, name), 'utf8')));
      begun.set(timeline, stat?.mtimeMs ?? 0);
    }
    // One that is removed meanwhile is not there; one of another size is none of this archive's.
    if (segment && stat?.size === segmentSize) segments.push({ ...segment, at: stat.mtimeMs });
  }
  return { folder, segmentSize, segments, histories, begun };
}

/**
 * Removes what no base backup needs any more, and what an interrupted copy left. Histories stay: they keep the number of
 * a timeline from being given twice. Returns how many segments went.
 */
export function pruneArchive(folder: string, neededFrom: bigint): number {
  const { segmentSize } = readArchive(folder);
  let removed = 0;
  for (const name of readNames(folder)) {
    // A label of a base backup has the name of its first segment and an offset.
    const segment = parseSegment(name.slice(0, 24), segmentSize);
    const isUnneeded = segment !== undefined && segment.number < neededFrom / BigInt(segmentSize);
    if (!isUnneeded || !/^[0-9A-F]{24}(\.[0-9A-F]{8}\.backup)?(\.sha256)?$/.test(name)) continue;
    rmSync(join(folder, name), { force: true });
    if (name.length === 24) removed += 1;
  }
  if (removed > 0) syncFolder(folder);
  return removed;
}

export function holdsSegments(folder: string): boolean {
  return readNames(folder).some((name) => /^[0-9A-F]{24}$/.test(name));
}

/** Made for the database's user, which is who asks. */
export function makeArchive(folder: string): void {
  if (existsSync(folder)) return;
  mkdirSync(folder, { mode: 0o700, recursive: true });
  syncFolder(join(folder, '..'));
}

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
