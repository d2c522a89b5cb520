import type { LogLine } from '../protocol/control.ts';

/**
 * What the files hold, then what the supervisor says, no line twice: its first lines of a service are the last ones
 * of its file, up to one that was not there yet.
 * @param live called when the files are read
 */
export async function* joinLogs(
  kept: AsyncIterable<LogLine>,
  live: () => Promise<AsyncIterable<LogLine>>,
): AsyncGenerator<LogLine> {
  /** Of each service, what was read of the last millisecond. */
  const last = new Map<string, { readonly time: string; readonly lines: string[] }>();
  for await (const line of kept) {
    const known = last.get(line.service);
    if (known?.time === line.time) known.lines.push(keyOf(line));
    else last.set(line.service, { time: line.time, lines: [keyOf(line)] });
    yield line;
  }
  for await (const line of await live()) {
    const known = last.get(line.service);
    if (known && line.time < known.time) continue;
    const at = known?.time === line.time ? known.lines.indexOf(keyOf(line)) : -1;
    if (at >= 0) known?.lines.splice(at, 1);
    if (at < 0 || known?.lines.length === 0) last.delete(line.service);
    if (at < 0) yield line;
  }
}

function keyOf({ stream, line }: LogLine): string {
  return `${stream} ${line}`;
}
