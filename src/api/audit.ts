/** Who changed what: a line of the program's log for each request that could change something, and one of a file. */
import { readFile } from 'node:fs/promises';
import { RotatingFile } from '../system/rotating-file.ts';

export interface AuditEntry {
  /** ISO 8601 */
  readonly at: string;
  /** `token grafana`, `session of grafana`; undefined: it was not let in. */
  readonly actor?: string;
  readonly address: string;
  readonly method: string;
  /** Without its query. */
  readonly path: string;
  /** That of the answer; 499: the client left before all of its request was here, and nothing was done. */
  readonly status: number;
  /** The client left before it had the answer. */
  readonly left?: true;
  /** The job, operation or token it was about, where the path does not say. */
  readonly about?: string;
}

export interface Audit {
  record(entry: Omit<AuditEntry, 'at'>): void;
  /** Newest first, at most `limit`, those before a time (ISO 8601) where one is given. */
  read(limit: number, before: string | undefined): Promise<readonly AuditEntry[]>;
  /** Resolves when all is written; what is told later is in the log alone. */
  close(): Promise<void>;
}

export interface AuditPorts {
  /** A line of the program's log. */
  say(text: string): void;
  /** Milliseconds of a clock that only goes on. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallClock(): number;
}

/** Of those that were not let in, or not to that; who may change nothing shall not push out of the log who did. */
const MOST_REFUSED = 30;
const FORBIDDEN = 403;
const WINDOW_MS = 60_000;
const LONGEST_PATH = 200;
/** Bytes of one file, and how many old ones stay: about ten thousand entries. */
const LONGEST_FILE = 1024 * 1024;
const OLD_FILES = 1;
const MOST_IN_MEMORY = 200;

/** @param path of the file; made with its folder where it is missing */
export function createAudit(path: string, { say, now, wallClock }: AuditPorts): Audit {
  const file = new RotatingFile(path, LONGEST_FILE, OLD_FILES);
  let begun = Number.NEGATIVE_INFINITY;
  let refused = 0;
  let isClosed = false;
  // Where the file cannot be written, these are what there is.
  const newest: string[] = [];
  return {
    record(entry) {
      const { actor, address, method, status, left, about } = entry;
      if (actor === undefined || status === FORBIDDEN) {
        if (now() - begun >= WINDOW_MS) {
          if (refused > MOST_REFUSED) say(`audit: ${refused - MOST_REFUSED} more were refused`);
          begun = now();
          refused = 0;
        }
        refused += 1;
        if (refused > MOST_REFUSED) return;
      }
      const cut = entry.path.slice(0, LONGEST_PATH);
      say(
        `audit: ${method} ${cut} by ${actor ?? 'nobody'} from ${address}: ${status}${about === undefined ? '' : ` ${about}`}${left ? ', and the client had left' : ''}`,
      );
      // The folder may be gone by now, and is not made again for one line.
      if (isClosed) return;
      const whole: AuditEntry = { at: new Date(wallClock()).toISOString(), ...entry, path: cut };
      const line = JSON.stringify(whole);
      newest.push(line);
      if (newest.length > MOST_IN_MEMORY) newest.shift();
      file.append(Buffer.from(`${line}\n`));
    },
    async read(limit, before) {
      await file.release();
      const texts = await Promise.all(
        [path, `${path}.1`].map((name) => readFile(name, 'utf8').catch(() => '')),
      );
      const lines = texts.flatMap((text) => text.split('\n').reverse());
      const last = newest.at(-1);
      const isKept = last === undefined || lines.find((line) => line !== '') === last;
      const found: AuditEntry[] = [];
      for (const line of isKept ? lines : newest.toReversed()) {
        const entry = parseEntry(line);
        if (entry === undefined || (before !== undefined && entry.at >= before)) continue;
        found.push(entry);
        if (found.length === limit) break;
      }
      return found;
    },
    close() {
      isClosed = true;
      return file.release();
    },
  };
}

/** Undefined: torn by a crash. */
function parseEntry(line: string): AuditEntry | undefined {
  if (line === '') return undefined;
  try {
    // Nobody else writes there: the shape is ours.
    return JSON.parse(line) as AuditEntry;
  } catch {
    return undefined;
  }
}
