import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { LogLine } from '../../protocol/control.ts';
import { OWN_NAME } from '../../protocol/stored-line.ts';
import { listMeant } from './known-services.ts';
import { openLineStream } from './line-stream.ts';
import { badRequest } from './request-body.ts';
import type { ControlTarget } from './target.ts';

/** What a slow reader missed is said at once, then its sum at most so often. */
const SAID_EVERY_MS = 10_000;

/** Kept lines, then, when asked to follow, every later one until either side ends. */
export async function streamLogs(
  target: ControlTarget,
  clock: Clock,
  query: URLSearchParams,
  response: ServerResponse,
  closing: AbortSignal,
): Promise<void> {
  const asked = readQuery(target, query);
  const follow = isYes(query.get('follow'));
  const stream = openLineStream(response);
  const held: LogLine[] = [];
  let catchingUp = true;
  let dropped = 0;
  /** Armed while it was said a moment ago. */
  let disarm: (() => void) | undefined;

  const offer = (line: LogLine) => {
    if (catchingUp) held.push(line);
    else if (!stream.offer(line)) dropped += 1;
  };
  const kept = readKept(target, asked);
  const unfollow = follow ? target.logs.follow(asked.services, offer) : () => undefined;
  const sayDropped = (): void => {
    if (dropped > 0 && stream.offer(droppedNote(dropped))) dropped = 0;
  };
  const mayBeSaid = (): void => {
    if (dropped === 0 || catchingUp || disarm) return;
    sayDropped();
    disarm = clock.after(SAID_EVERY_MS, () => {
      disarm = undefined;
      mayBeSaid();
    });
  };
  stream.onDrained(mayBeSaid);
  try {
    for (const line of kept) await stream.send(line);
    catchingUp = false;
    for (const line of held) offer(line);
    if (follow && !closing.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      closing.addEventListener('abort', () => resolve(), { once: true });
      await Promise.race([stream.closed, promise]);
    }
  } finally {
    unfollow();
    disarm?.();
    sayDropped();
    stream.end();
  }
}

interface LogQuery {
  /** undefined: all. */
  readonly services: readonly string[] | undefined;
  readonly tail: number;
  /** ISO 8601 as the lines have it; only lines from then on. */
  readonly since: string;
}

function readQuery(target: ControlTarget, query: URLSearchParams): LogQuery {
  const product = target.product();
  // They have logs, too, and are no services.
  const others = new Set([OWN_NAME, ...product.schedules.map(({ name }) => name), ...target.jobTypes()]);
  const asked = query.getAll('service');
  const services = [
    ...listMeant(
      product,
      asked.filter((name) => !others.has(name)),
    ).map(({ name }) => name),
    ...asked.filter((name) => others.has(name)),
  ];
  const tail = query.get('tail');
  if (tail !== null && !/^\d{1,9}$/.test(tail)) throw badRequest('"tail" must be a number of lines');
  const since = query.get('since');
  const sinceMs = since === null ? 0 : Date.parse(since);
  if (Number.isNaN(sinceMs)) throw badRequest('"since" must be a time in ISO 8601');
  return {
    services: services.length === 0 ? undefined : services,
    tail: tail === null ? Number.MAX_SAFE_INTEGER : Number(tail),
    since: new Date(sinceMs).toISOString(),
  };
}

function readKept(target: ControlTarget, { services, tail, since }: LogQuery): readonly LogLine[] {
  return tail === 0 ? [] : target.logs.tail(services, tail).filter(({ time }) => time >= since);
}

function droppedNote(count: number): LogLine {
  const line = `dropped ${count} lines: the reader is too slow`;
  return { time: new Date().toISOString(), service: OWN_NAME, stream: 'note', line };
}

export function isYes(value: string | null): boolean {
  if (value === null || value === '0' || value === 'false') return false;
  if (value === '' || value === '1' || value === 'true') return true;
  throw badRequest('a yes or no must be 1 or 0');
}
