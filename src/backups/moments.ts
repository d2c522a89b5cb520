/** What the base backups on the shelf and the archived WAL come to: the moments that can be gone back to. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../base/errors.ts';
import { findCluster } from '../postgres/find-cluster.ts';
import { readSystemIdentifier } from '../postgres/identity.ts';
import type { Layout } from '../postgres/layout.ts';
import type { BackupManifest, MomentsView } from '../protocol/backups.ts';
import { type Archive, archiveFolder, pruneArchive, readArchive } from '../wal/archive.ts';
import { closeGap, type Gap, liftGap, readGaps, reopenGap } from '../wal/gap.ts';
import { segmentName } from '../wal/segments.ts';
import { findWindows, type Window, walNeededFrom } from '../wal/windows.ts';
import { isWhole, readShelf, type WholeBackup } from './shelf.ts';

/** The base backups of one cluster, and its archive. */
export interface Line {
  readonly archive: Archive;
  readonly bases: readonly BaseBackup[];
  readonly windows: readonly Window[];
}

export interface BaseBackup extends WholeBackup {
  readonly manifest: BackupManifest & Required<Pick<BackupManifest, 'wal' | 'server'>>;
}

/** One per cluster that has base backups on the shelf: a restored dump or an upgrade begins another. */
export function readLines(dataDir: string): Line[] {
  const bases = readShelf(join(dataDir, 'backups'), ['base']).filter(isWhole).filter(knowsItsWal);
  const folders = [...new Set(bases.map((base) => archiveOf(dataDir, base)))];
  return folders.map((folder) => {
    const archive = readArchive(folder);
    const own = bases.filter((base) => archiveOf(dataDir, base) === folder);
    const facts = own.map(({ id, manifest: { startedAt, wal } }) => ({ id, startedAt, wal }));
    return { archive, bases: own, windows: findWindows({ ...archive, bases: facts }) };
  });
}

/** For `bulkhead backup list` and `bulkhead doctor`; undefined where nothing was ever archived, or may not be looked at. */
export function readMoments(dataDir: string): MomentsView | undefined {
  try {
    const archives = namesIn(join(dataDir, 'wal')).filter(isArchive);
    if (archives.length === 0) return undefined;
    const gaps = archives.flatMap((name) => readGaps(join(dataDir, 'wal', name)));
    const windows = readLines(dataDir).flatMap(({ archive, windows: found }) =>
      found.map(({ base, timeline, from, to, hole }) => ({
        base,
        timeline,
        from,
        to,
        hole: hole && segmentName(hole, archive.segmentSize),
      })),
    );
    return {
      windows,
      gaps: gaps.map(({ since, until, reason }) => ({ since, until, reason })),
      ...readWaiting(join(dataDir, 'pg', 'current', 'pg_wal', 'archive_status')),
    };
  } catch (error) {
    if (codeOf(error) === 'EACCES') return undefined;
    throw error;
  }
}

/** The declared gap around a base backup. */
export interface GapDoor {
  /** The backup is good. Returns the gap it ends. */
  close(): Gap | undefined;
  /** There is none. */
  reopen(): void;
}

/** To be called before a base backup begins: what it needs comes after this, so whatever is missing before ends to matter. */
export function openGapDoor(root: string, layout: Layout): GapDoor {
  const cluster = findCluster(layout);
  const archive =
    cluster && archiveFolder(dirname(root), readSystemIdentifier(cluster.folder), cluster.major);
  if (archive === undefined || !existsSync(archive)) return { close: () => undefined, reopen: () => {} };
  const now = new Date().toISOString();
  liftGap(archive);
  return { close: () => closeGap(archive, now), reopen: () => reopenGap(archive) };
}

/**
 * Removes archived WAL older than the oldest base backup that is on the shelf. Where one cannot be read, nothing is: it
 * may be mended. Returns how many segments went.
 */
export function pruneWal(root: string): number {
  const dataDir = dirname(root);
  const bases = readShelf(root, ['base']);
  if (bases.some(({ manifest }) => manifest === undefined)) return 0;
  let removed = 0;
  for (const name of namesIn(join(dataDir, 'wal')).filter(isArchive)) {
    const folder = join(dataDir, 'wal', name);
    const own = bases.flatMap(({ manifest }) =>
      manifest?.wal && manifest.server && archiveNameOf(manifest.server) === name
        ? [{ wal: manifest.wal }]
        : [],
    );
    const neededFrom = walNeededFrom(own);
    if (neededFrom !== undefined) removed += pruneArchive(folder, neededFrom);
  }
  return removed;
}

function knowsItsWal(backup: WholeBackup): backup is BaseBackup {
  return backup.manifest.wal !== undefined && backup.manifest.server !== undefined;
}

function archiveOf(dataDir: string, { manifest: { server } }: BaseBackup): string {
  return archiveFolder(dataDir, server.systemIdentifier, server.major);
}

function archiveNameOf({ systemIdentifier, major }: { systemIdentifier: string; major: number }): string {
  return `${systemIdentifier}-${major}`;
}

function isArchive(name: string): boolean {
  return /^\d+-\d+$/.test(name);
}

function readWaiting(folder: string): Pick<MomentsView, 'waiting' | 'waitingSince'> {
  const times = namesIn(folder)
    .filter((name) => name.endsWith('.ready'))
    .flatMap((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? []);
  return {
    waiting: times.length,
    waitingSince: times.length === 0 ? undefined : new Date(Math.min(...times)).toISOString(),
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
