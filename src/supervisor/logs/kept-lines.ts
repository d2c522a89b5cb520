import type { LogLine } from '../../protocol/control.ts';
import { parseStoredLine } from '../../protocol/stored-line.ts';
import type { Tail } from './tail.ts';

/** Of all files together, so that a question about fifty services does not keep the loop for long. */
const LONGEST_READ = 4 * 1024 * 1024;
const LONGEST_READ_EACH = 1024 * 1024;

/** The last bytes of a service's file, at most so many; undefined where there is none. Must not wait long. */
type ReadEnd = (service: string, bytes: number) => Buffer | undefined;
/** Looks at the folder once for all questions that follow at once. */
export type OpenEnds = () => ReadEnd;

export interface Kept {
  readonly name: string;
  /** undefined: it has written nothing since the boot. */
  readonly tail: Tail | undefined;
}

/**
 * The newest lines of several services by time, oldest first. Memory answers first; what it no longer holds, and what
 * was written before this boot, comes from the end of the files.
 */
export function readKeptLines(kept: readonly Kept[], count: number, openEnds: OpenEnds): LogLine[] {
  let readEnd: ReadEnd | undefined;
  const share = Math.min(LONGEST_READ_EACH, Math.floor(LONGEST_READ / Math.max(1, kept.length)));
  const lines: LogLine[] = [];
  for (const { name, tail } of kept) {
    let stored = tail?.lines(count) ?? [];
    if (stored.length < count) {
      readEnd ??= openEnds();
      stored = joinWithFile(stored, readEnd(name, share)).slice(-count);
    }
    for (const text of stored) {
      const line = parseStoredLine(name, text);
      if (line) lines.push(line);
    }
  }
  // Sorting is stable: lines of one service and one millisecond keep their order.
  lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  return lines.length > count ? lines.slice(-count) : lines;
}

/**
 * The file may be a little behind memory: it ends with the first lines of memory, most often with all of them. Where
 * it does not (a full disk made a gap), the times tell what is older.
 */
function joinWithFile(memory: readonly string[], end: Buffer | undefined): string[] {
  const text = end?.toString('utf8') ?? '';
  const older = text.slice(0, text.lastIndexOf('\n') + 1);
  for (let shared = memory.length; shared > 0; shared -= 1) {
    const beginning = `${memory.slice(0, shared).join('\n')}\n`;
    if (older.endsWith(beginning)) return [...linesOf(older.slice(0, -beginning.length)), ...memory];
  }
  const [first] = memory;
  const lines = linesOf(older);
  return first === undefined ? lines : [...lines.filter((line) => line < first.slice(0, STAMP)), ...memory];
}

/** Length of `2026-11-21T01:02:03.456Z`. */
const STAMP = 24;

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  lines.pop();
  return lines;
}
