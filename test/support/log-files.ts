import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { byAge, parseLogName } from '../../src/base/log-names.ts';

/** All that a service has written, of all days and parts, oldest first; nothing where there is no folder yet. */
export function readLog(folder: string, service: string): Buffer {
  const files = names(folder)
    .flatMap((file) => parseLogName(file) ?? [])
    .filter((name) => name.service === service)
    .toSorted(byAge);
  return Buffer.concat(
    files.map(({ file, compressed }) => {
      const bytes = readFileSync(join(folder, file));
      return compressed ? gunzipSync(bytes) : bytes;
    }),
  );
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
