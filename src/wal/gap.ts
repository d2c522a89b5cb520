/**
 * A declared gap: from some moment on nothing is archived, because the disk was nearly full or the plan said so, until
 * the next base backup, which no longer needs what is missing. `gap.json` in the archive is the open one, and what the
 * archive command looks for first; while a base backup is made it is `gap-lifted.json`, which lets everything into the
 * archive and is open still, for only a backup that is good ends it. Closed ones are kept beside it for whoever asks why
 * a moment cannot be reached.
 */
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syncFolder, writeFileAtomic } from '../system/write-file-atomic.ts';

const OPEN = 'gap.json';
const LIFTED = 'gap-lifted.json';

export interface Gap {
  readonly schema: 1;
  /** ISO 8601 */
  readonly since: string;
  /** The first file that was not archived, where it is known. */
  readonly from?: string;
  /** `disk`: less than the floor was free; `off`: the plan had no point_in_time. */
  readonly reason: 'disk' | 'off';
  /** ISO 8601; of a closed one. */
  readonly until?: string;
}

export function readOpenGap(archive: string): Gap | undefined {
  return readGap(join(archive, LIFTED)) ?? readGap(join(archive, OPEN));
}

/** Closed ones and the open one, oldest first. */
export function readGaps(archive: string): Gap[] {
  const names = readNames(archive).filter((name) => /^gap(-.*)?\.json$/.test(name));
  return names
    .flatMap((name) => readGap(join(archive, name)) ?? [])
    .sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : 0));
}

/** The first word counts: a gap that is open stays as it is. */
export function declareGap(archive: string, gap: Omit<Gap, 'schema' | 'until'>): void {
  reopenGap(archive);
  if (readNames(archive).includes(OPEN)) return;
  writeFileAtomic(join(archive, OPEN), `${JSON.stringify({ schema: 1, ...gap })}\n`, { mode: 0o600 });
}

/** From here on everything is archived again. To be called before a base backup begins: what it needs comes after this. */
export function liftGap(archive: string): void {
  reopenGap(archive);
  if (!readNames(archive).includes(OPEN)) return;
  renameSync(join(archive, OPEN), join(archive, LIFTED));
  syncFolder(archive);
}

/** There is no good base backup after a gap that was lifted: it goes on, and began when it began. */
export function reopenGap(archive: string): void {
  if (!readNames(archive).includes(LIFTED)) return;
  renameSync(join(archive, LIFTED), join(archive, OPEN));
  syncFolder(archive);
}

/**
 * The base backup before which the gap was lifted is good. One that was declared since then stays open. Returns the gap
 * that it ends. `until`: when it was lifted, ISO 8601.
 */
export function closeGap(archive: string, until: string): Gap | undefined {
  const lifted = join(archive, LIFTED);
  const gap = readGap(lifted);
  if (gap) {
    const kept = join(archive, `gap-${gap.since.replaceAll(/[^0-9TZ]/g, '')}.json`);
    writeFileAtomic(kept, `${JSON.stringify({ ...gap, until })}\n`, { mode: 0o600 });
  } else if (!readNames(archive).includes(LIFTED)) return undefined;
  rmSync(lifted, { force: true });
  syncFolder(archive);
  return gap ?? { schema: 1, since: until, reason: 'disk' };
}

function readGap(path: string): Gap | undefined {
  try {
    const found: Gap = JSON.parse(readFileSync(path, 'utf8'));
    return typeof found.since === 'string' ? found : undefined;
  } catch {
    return undefined;
  }
}

function readNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
