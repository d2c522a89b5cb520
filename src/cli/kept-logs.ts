/** The lines a supervisor has left on its volume, for whoever asks when it is gone. */
import { readdirSync } from 'node:fs';
import type { LogLine } from '../protocol/control.ts';
import { parseStoredLine } from '../protocol/stored-line.ts';
import { readRotatedEnd } from '../system/read-end.ts';

const LONGEST_READ_EACH = 4 * 1024 * 1024;
const ENDING = '.log';

/**
 * The last 4 MiB of each service's file and the one rotated before it, all services together by time, oldest first.
 * @param names empty: of all services
 * @returns undefined where the volume has no such file
 */
export function readKeptLogs(dataDir: string, names: readonly string[]): readonly LogLine[] | undefined {
  const there = listServices(dataDir);
  const asked = names.length === 0 ? there : names.filter((name) => there.includes(name));
  if (asked.length === 0) return undefined;
  return asked
    .flatMap((name) => readService(dataDir, name))
    .toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
}

function listServices(dataDir: string): readonly string[] {
  try {
    return readdirSync(`${dataDir}/logs`)
      .filter((file) => file.endsWith(ENDING))
      .map((file) => file.slice(0, -ENDING.length));
  } catch {
    return [];
  }
}

function readService(dataDir: string, service: string): LogLine[] {
  const end = readRotatedEnd(`${dataDir}/logs/${service}${ENDING}`, LONGEST_READ_EACH);
  const texts = end?.toString('utf8').split('\n') ?? [];
  return texts.flatMap((text) => parseStoredLine(service, text) ?? []);
}
