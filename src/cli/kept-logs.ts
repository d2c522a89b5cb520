/** The lines a supervisor keeps on its volume, read as a stream: compressed days too, in bounded memory. */
import { accessSync, constants, createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { codeOf } from '../base/errors.ts';
import { byAge, compressedName, type LogName } from '../base/log-names.ts';
import type { LogLine } from '../protocol/control.ts';
import { parseStoredLine } from '../protocol/stored-line.ts';
import { listLogNames, readNewestEnds } from '../system/log-folder.ts';

const CHUNK = 256 * 1024;
/** What is longer is no line of ours. */
const LONGEST_LINE = 1024 * 1024;
/** For the last lines alone, the end of a file is enough. */
const END = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * All lines of these services since a time, services together by time, oldest first.
 * @param names empty: of all services
 * @param since ISO 8601 as the lines have it; empty: all there is
 * @returns undefined where the volume has no such file
 */
export function readKeptLogs(
  dataDir: string,
  names: readonly string[],
  since: string,
): AsyncIterable<LogLine> | undefined {
  const services = meantServices(dataDir, names);
  return (
    services && joinByTime(services.map(([service, files]) => readService(dataDir, service, files, since)))
  );
}

/** Whether all files there are open to us: half of them would be no answer. */
export function mayReadKeptLogs(dataDir: string): boolean {
  try {
    for (const files of listLogNames(folderOf(dataDir)).values()) {
      for (const { file } of files) accessSync(join(folderOf(dataDir), file), constants.R_OK);
    }
    return true;
  } catch (error) {
    return codeOf(error) === 'ENOENT';
  }
}

/** The last lines of these services together, at most `count`; undefined as above. */
export async function readLastLogs(
  dataDir: string,
  names: readonly string[],
  count: number,
): Promise<readonly LogLine[] | undefined> {
  const services = meantServices(dataDir, names);
  if (!services) return undefined;
  const ends = services.map(([service, files]) => {
    const end = readNewestEnds(folderOf(dataDir), files, END)?.toString('utf8').split('\n') ?? [];
    return end.flatMap((text) => parseStoredLine(service, text) ?? []);
  });
  const isEnough = ends.every((lines, at) => lines.length > count || services[at]?.[1].every(isPlain));
  const last: LogLine[] = [];
  const sources = isEnough
    ? ends.map((lines) => arrayStream(lines))
    : services.map(([service, files]) => readService(dataDir, service, files, ''));
  for await (const line of joinByTime(sources)) {
    last.push(line);
    if (last.length > 2 * count + 1000) last.splice(0, last.length - count);
  }
  return last.slice(Math.max(0, last.length - count));
}

const isPlain = ({ compressed }: LogName): boolean => !compressed;
const folderOf = (dataDir: string): string => `${dataDir}/logs`;

async function* arrayStream(lines: readonly LogLine[]): AsyncGenerator<LogLine> {
  yield* lines;
}

function meantServices(
  dataDir: string,
  names: readonly string[],
): readonly (readonly [string, readonly LogName[]])[] | undefined {
  const all = listLogNames(folderOf(dataDir));
  const meant = new Set(
    names.flatMap((name) => (all.has(name) ? [name] : replicasOf(name, [...all.keys()]))),
  );
  const services = [...all].filter(([service]) => names.length === 0 || meant.has(service));
  return services.length === 0 ? undefined : services;
}

/** `web` means `web-1`, `web-2` … */
function replicasOf(name: string, services: readonly string[]): readonly string[] {
  return services.filter(
    (service) => service.startsWith(`${name}-`) && /^\d+$/.test(service.slice(name.length + 1)),
  );
}

/** Always the oldest line of those that come next. */
async function* joinByTime(sources: readonly AsyncGenerator<LogLine>[]): AsyncGenerator<LogLine> {
  const heads: { line: LogLine; readonly source: AsyncGenerator<LogLine> }[] = [];
  try {
    for (const source of sources) {
      const first = await source.next();
      if (!first.done) heads.push({ line: first.value, source });
    }
    for (;;) {
      const [first, ...others] = heads;
      if (!first) return;
      const oldest = others.reduce((a, b) => (b.line.time < a.line.time ? b : a), first);
      yield oldest.line;
      const next = await oldest.source.next();
      if (next.done) heads.splice(heads.indexOf(oldest), 1);
      else oldest.line = next.value;
    }
  } finally {
    for (const source of sources) await source.return(undefined);
  }
}

async function* readService(
  dataDir: string,
  service: string,
  files: readonly LogName[],
  since: string,
): AsyncGenerator<LogLine> {
  const day = since.slice(0, 10);
  const plain = new Set(files.filter(isPlain).map(({ file }) => file));
  for (const name of files.toSorted(byAge)) {
    // The day in a name is that of its lines. A compressed file beside the plain one is the same, not yet tidied up.
    const isTwice = name.compressed && plain.has(name.file.slice(0, -compressedName('').length));
    if (isTwice || (name.day !== '' && name.day < day)) continue;
    for await (const text of readLines(join(folderOf(dataDir), name.file), name.compressed)) {
      const line = parseStoredLine(service, text);
      if (line && line.time >= since) yield line;
    }
  }
}

/** A file that is compressed in this very moment is read from where it went; one that is deleted has no lines. */
async function* readLines(path: string, compressed: boolean): AsyncGenerator<string> {
  try {
    yield* splitLines(await openBytes(path, compressed));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    if (!compressed) yield* readLines(compressedName(path), true);
  }
}

async function openBytes(path: string, compressed: boolean): Promise<Readable> {
  const file = createReadStream(path, { highWaterMark: CHUNK });
  if (!compressed) return file;
  const { createGunzip } = await import('node:zlib');
  const bytes = createGunzip({ chunkSize: CHUNK });
  file.on('error', (error) => bytes.destroy(error));
  bytes.on('close', () => file.destroy());
  return file.pipe(bytes);
}

/** Whole lines without their newline; what stands behind the last of them is being written, or torn. */
async function* splitLines(bytes: Readable): AsyncGenerator<string> {
  let carry = Buffer.alloc(0);
  for await (const chunk of bytes as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = chunk.subarray(from, end);
      yield (carry.length === 0 ? line : Buffer.concat([carry, line])).toString('utf8');
      carry = Buffer.alloc(0);
      from = end + 1;
    }
    if (carry.length < LONGEST_LINE) carry = Buffer.concat([carry, chunk.subarray(from)]);
  }
}
