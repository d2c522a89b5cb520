import type { ServerResponse } from 'node:http';
import type { EventLine } from '../../protocol/control.ts';
import { openLineStream } from './line-stream.ts';
import { isYes } from './log-route.ts';
import { badRequest } from './request-body.ts';
import type { ControlTarget } from './target.ts';

/** Events after `since`, then, when asked to follow, every later one until either side ends. */
export async function streamEvents(
  target: ControlTarget,
  query: URLSearchParams,
  response: ServerResponse,
  closing: AbortSignal,
): Promise<void> {
  const since = query.get('since') ?? '0';
  if (!/^\d{1,15}$/.test(since)) throw badRequest('"since" must be the number of an event');
  const follow = isYes(query.get('follow'));
  const stream = openLineStream(response);
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  // A follower that cannot keep up is cut off: it can come back with `since` and loses nothing that is kept.
  const offer = (line: EventLine) => {
    if (!stream.offer(line)) end();
  };
  const kept = target.events.since(Number(since));
  if (kept.missedBefore !== undefined) offer({ type: 'missed', before: kept.missedBefore });
  for (const event of kept.events) offer(event);
  const ways = [
    ...(follow ? [target.events.follow(offer)] : []),
    ...(follow && isYes(query.get('jobs')) ? [target.events.overhear(offer)] : []),
  ];
  try {
    if (follow && !closing.aborted) {
      closing.addEventListener('abort', () => end(), { once: true });
      await Promise.race([stream.closed, ended]);
    }
  } finally {
    for (const leave of ways) leave();
    stream.end();
  }
}
