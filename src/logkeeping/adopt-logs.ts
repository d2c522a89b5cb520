import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { byAge, type LogName, parseLogName } from '../base/log-names.ts';
import { parseStoredLine } from '../protocol/stored-line.ts';
import { readEnd } from '../system/read-end.ts';

const LAST_LINES = 256 * 1024;

/**
 * Gives log files of all days, as Bulkhead once wrote them, the name of the day their last line is from, as if they
 * had been moved aside on it: from then on they are compressed, read and deleted like others. What does not end with
 * lines of ours stays as it is.
 */
export async function adoptLogs(folder: string, files: readonly string[]): Promise<void> {
  const names = files.flatMap((file) => parseLogName(file) ?? []).toSorted(byAge);
  // The newest first: what is older gets the higher number.
  for (const name of names.reverse()) {
    const day = name.compressed ? undefined : lastDay(join(folder, name.file), name.service);
    if (day === undefined) continue;
    const taken = (await readdir(folder)).flatMap((file) => parseLogName(file) ?? []).filter(isOf(name, day));
    const moved = Math.max(0, ...taken.map((other) => other.moved)) + 1;
    await rename(join(folder, name.file), join(folder, `${name.service}-${day}.log.${moved}`));
  }
}

function isOf({ service }: LogName, day: string): (other: LogName) => boolean {
  return (other) => other.service === service && other.day === day;
}

function lastDay(path: string, service: string): string | undefined {
  const lines = readEnd(path, LAST_LINES)?.toString('latin1').split('\n') ?? [];
  return lines
    .flatMap((line) => parseStoredLine(service, line)?.time ?? [])
    .at(-1)
    ?.slice(0, 10);
}
