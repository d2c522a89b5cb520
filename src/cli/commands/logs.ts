import { parseDuration } from '../../base/duration.ts';
import { Failure, messageOf } from '../../base/errors.ts';
import type { LogLine } from '../../protocol/control.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { shortJobId } from '../../protocol/stored-line.ts';
import { usageFailure } from '../arguments.ts';
import type { Client } from '../client.ts';
import type { Context, ParsedCommand } from '../command.ts';
import { untilInterrupted } from '../follow.ts';
import { joinLogs } from '../join-logs.ts';
import { mayReadKeptLogs, readKeptLogs, readLastLogs } from '../kept-logs.ts';
import { createLinePrinter } from '../log-text.ts';
import { findDataDir } from '../place.ts';

const DEFAULT_TAIL = 100;

export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const matches = readPattern(given.value('grep'));
  const query = buildQuery(given, io.now());
  const client = await context.client();
  const print = createLinePrinter({
    color: context.color,
    prefix: !given.has('no-prefix'),
    timestamps: given.has('timestamps'),
    names: given.words,
  });
  const jobId = given.value('job');
  const job = jobId === undefined ? undefined : shortJobId(jobId.toLowerCase());
  const tell = (line: LogLine): void => {
    if (!matches(line.line) || (job !== undefined && line.job !== job)) return;
    if (context.json) context.sayJson(line);
    else context.sayAsIs(print(line));
  };
  await untilInterrupted(io, async (signal) => {
    let lines: AsyncIterable<LogLine>;
    try {
      lines = await openLines(context, client, query, signal);
    } catch (error) {
      if (signal.aborted) return;
      for await (const line of await readLeftLines(context, query, error)) {
        if (signal.aborted) return;
        tell(line);
        await io.out.flushed();
      }
      return;
    }
    for await (const line of lines) {
      tell(line);
      // A slow reader slows the reading, so that nothing piles up here.
      await io.out.flushed();
    }
  });
  return CommandExit.ok;
}

/**
 * The supervisor keeps the newest lines at hand, which is enough for the last so many; where a time or a search is
 * asked for, the files are read for what was before them, compressed days too.
 */
async function openLines(
  context: Context,
  client: Client,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<AsyncIterable<LogLine>> {
  const { given, io } = context;
  const live = () => client.lines<LogLine>(`/v1/logs?${query}`, { signal });
  if (query.get('tail') !== null || given.has('socket')) return live();
  // Refuses what there is not, before anything is read.
  const nothing = new URLSearchParams(given.words.map((name): [string, string] => ['service', name]));
  nothing.set('tail', '0');
  for await (const _ of await client.lines(`/v1/logs?${nothing}`, { signal }));
  const dataDir = findDataDir({ env: io.env, cwd: io.cwd, data: given.value('data') });
  if (!mayReadKeptLogs(dataDir)) return live();
  const kept = readKeptLogs(dataDir, given.words, query.get('since') ?? '');
  return kept ? joinLogs(kept, live) : live();
}

/** Where no supervisor answers, what it left on the volume is the answer; throws `error` where that is nothing. */
async function readLeftLines(
  context: Context,
  query: URLSearchParams,
  error: unknown,
): Promise<AsyncIterable<LogLine> | readonly LogLine[]> {
  const { given, io } = context;
  if (!(error instanceof Failure) || error.code !== 'unreachable' || given.has('socket')) throw error;
  const dataDir = findDataDir({ env: io.env, cwd: io.cwd, data: given.value('data') });
  const since = query.get('since') ?? '';
  const tail = query.get('tail');
  const kept =
    tail === null
      ? readKeptLogs(dataDir, given.words, since)
      : (await readLastLogs(dataDir, given.words, Number(tail)))?.filter(({ time }) => time >= since);
  if (kept === undefined) throw error;
  context.remark(`no supervisor runs on ${dataDir}: these lines are from ${dataDir}/logs`);
  return kept;
}

function buildQuery(given: ParsedCommand, now: number): URLSearchParams {
  const query = new URLSearchParams(given.words.map((name): [string, string] => ['service', name]));
  const tail = given.value('tail');
  if (tail !== undefined && tail !== 'all' && !/^\d{1,9}$/.test(tail)) {
    throw usageFailure(
      `cannot run logs: --tail must be a number of lines, not "${tail}"`,
      'write --tail 50, or --tail all',
    );
  }
  // A search goes through everything that is kept; so does a time.
  const isWhole = given.has('grep') || given.has('since') || given.has('job');
  if (tail !== 'all' && (tail !== undefined || !isWhole)) query.set('tail', tail ?? String(DEFAULT_TAIL));
  const since = given.value('since');
  if (since !== undefined) query.set('since', readSince(since, now));
  if (given.has('follow')) query.set('follow', '1');
  return query;
}

function readSince(text: string, now: number): string {
  const ago = parseDuration(text);
  const time = ago === undefined ? Date.parse(text) : now - ago;
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw usageFailure(
    `cannot run logs: --since must be a duration or a time, not "${text}"`,
    'write --since 10m, or --since 2026-11-21T08:00:00Z',
  );
}

function readPattern(text: string | undefined): (line: string) => boolean {
  if (text === undefined) return () => true;
  try {
    const pattern = new RegExp(text);
    return (line) => pattern.test(line);
  } catch (error) {
    throw usageFailure(
      `cannot run logs: --grep is not a regular expression: ${messageOf(error)}`,
      'quote special characters with \\',
    );
  }
}
