import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** The last bytes of a file, at most so many; undefined where it cannot be read. For small reads of local files. */
export function readEnd(path: string, bytes: number): Buffer | undefined {
  let fd: number;
  try {
    // What is no file (a FIFO somebody planted) must not make us wait.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return undefined;
    const start = Math.max(0, stats.size - bytes);
    const buffer = Buffer.allocUnsafeSlow(stats.size - start);
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, start));
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}

/** As `readEnd`, and where the file was rotated a short while ago, the end of the one before it first. */
export function readRotatedEnd(path: string, bytes: number): Buffer | undefined {
  const end = readEnd(path, bytes);
  const left = bytes - (end?.length ?? 0);
  const older = left > 0 ? readEnd(`${path}.1`, left) : undefined;
  return older && end ? Buffer.concat([older, end]) : (end ?? older);
}
