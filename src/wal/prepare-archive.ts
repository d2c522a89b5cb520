/** Before the server starts: its archive is there, or what is missing from now on is declared. Runs as the server's user. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { formatSize } from '../base/size.ts';
import { archiveFolder, holdsSegments, makeArchive } from './archive.ts';
import { archiveScript } from './archive-script.ts';
import { ARCHIVE_SCRIPT } from './archive-settings.ts';
import { declareGap, readOpenGap, reopenGap } from './gap.ts';
import { parseHistoryName } from './timelines.ts';

export interface ArchiveOptions {
  readonly dataDir: string;
  readonly cluster: { readonly folder: string; readonly major: number; readonly systemIdentifier: string };
  /** Where the script is written: a folder of the database's user. */
  readonly rendered: string;
  readonly pointInTime: boolean;
  /** Bytes that stay free. */
  readonly floor: number;
  note(text: string): void;
}

/**
 * The path of the archive command's script; undefined where nothing is archived. What is wrong with the archive is a
 * note and never keeps the database from starting: then the archive command fails, tells it in the log and tries again.
 */
export async function prepareArchive(options: ArchiveOptions): Promise<string | undefined> {
  const { dataDir, cluster, pointInTime, note } = options;
  const archive = archiveFolder(dataDir, cluster.systemIdentifier, cluster.major);
  if (!pointInTime) {
    try {
      declareOff(archive);
    } catch (error) {
      note(`cannot declare a gap in ${archive}: ${messageOf(error)}`);
    }
    return undefined;
  }
  try {
    makeArchive(archive);
    await claimTimelines(archive, join(cluster.folder, 'pg_wal'));
    // No base backup is made while the server starts: the one before it came to no end.
    reopenGap(archive);
    const gap = readOpenGap(archive);
    if (gap) note(gapText(gap.since, gap.reason, options.floor));
  } catch (error) {
    note(`the write-ahead log cannot be archived: ${messageOf(error)}`);
  }
  const script = join(options.rendered, ARCHIVE_SCRIPT);
  writeFileSync(script, archiveScript({ archive, floor: options.floor }), { mode: 0o600 });
  return script;
}

/** A log that is written and not archived: what comes later cannot be reached from what is there. */
function declareOff(archive: string): void {
  if (!holdsSegments(archive)) return;
  declareGap(archive, { since: new Date().toISOString(), reason: 'off' });
}

/**
 * A recovery archives nothing, and so not the history of the timeline it began either. Were it not here, the next one
 * would give the same number again, and write other segments under the same names.
 */
export async function claimTimelines(archive: string, wal: string): Promise<void> {
  const histories = readdirSync(wal).filter((name) => parseHistoryName(name) !== undefined);
  if (histories.length === 0) return;
  const { putIntoArchive } = await import('./put-into-archive.ts');
  for (const name of histories) putIntoArchive(archive, name, readFileSync(join(wal, name)));
}

function gapText(since: string, reason: 'disk' | 'off', floor: number): string {
  const why =
    reason === 'off'
      ? 'point_in_time was off'
      : `less than ${formatSize(floor)} of the disk was free (backups.disk_floor)`;
  return `nothing is archived since ${since}, because ${why}; the next base backup ends that: bulkhead backup run base`;
}
