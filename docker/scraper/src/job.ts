import { fstatSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Problem, wordsOf } from './problem.ts';

/** What an attempt is handed: one line of JSON, on fd 3 from the supervisor, on standard input from a person. */
export interface Assignment {
  readonly data: Readonly<Record<string, unknown>>;
}

export type Report =
  | { type: 'progress'; percent?: number; text?: string }
  | { type: 'result'; value: unknown }
  | { type: 'enqueue'; job: string; data: unknown; idempotencyKey?: string };

export interface Job {
  readonly assignment: Assignment;
  report(report: Report): void;
  progress(percent: number, text: string): void;
  /** Waits until every report is written. */
  leave(): Promise<void>;
}

const MOST_ASSIGNMENT = 128 * 1024;

/** The supervisor's end of fd 3, if there is one: Node itself keeps files on that number where nobody gave it one. */
function openChannel(): Socket | undefined {
  if (!process.env.BULKHEAD_JOB_ID) return undefined;
  try {
    const kind = fstatSync(3);
    if (!kind.isSocket() && !kind.isFIFO()) return undefined;
    return new Socket({ fd: 3, readable: true, writable: true });
  } catch {
    return undefined;
  }
}

async function readLine(input: Readable): Promise<string> {
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) {
      if (line.length > MOST_ASSIGNMENT) throw new Problem('cannot read the assignment: it is too long');
      if (line.trim()) return line;
    }
  } finally {
    lines.close();
  }
  throw new Problem('cannot read the assignment: there is none on fd 3 or standard input');
}

/** `{"id", "type", "attempt", "data": …}`; by hand also only the data. */
export function readAssignment(line: string): Assignment {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new Problem(`cannot read the assignment: ${wordsOf(error)}`);
  }
  const isObject = (one: unknown): one is Record<string, unknown> =>
    typeof one === 'object' && one !== null && !Array.isArray(one);
  if (!isObject(value)) throw new Problem('cannot read the assignment: it is not an object');
  if (!('data' in value)) return { data: value };
  return { data: isObject(value.data) ? value.data : {} };
}

/** Takes the assignment. Reports go to fd 3, or as lines to standard output where a person started us. */
export async function takeJob(): Promise<Job> {
  const channel = openChannel();
  // Whoever listened is gone: the end will come by other means.
  channel?.on('error', () => {});
  const assignment = readAssignment(await readLine(channel ?? process.stdin));
  const report = (one: Report) => {
    const line = `${JSON.stringify(one)}\n`;
    if (channel) channel.write(line);
    else writeSync(1, line);
  };
  return {
    assignment,
    report,
    progress: (percent, text) => report({ type: 'progress', percent, text }),
    leave: () => new Promise((resolve) => (channel && !channel.destroyed ? channel.end(resolve) : resolve())),
  };
}
