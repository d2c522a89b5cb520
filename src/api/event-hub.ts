/**
 * One stream of server-sent events for everything (WHATWG HTML, section 9.2). However many listen, PID 1 is asked once;
 * who comes back with the id of the last thing it saw gets what is still kept of what came in between.
 */
import { PassThrough, type Readable } from 'node:stream';
import type { EventLine } from '../protocol/control.ts';
import { createFollower } from './follower.ts';
import { createLogFeed } from './log-feed.ts';
import type { Operate } from './operate.ts';
import type { Operations, OperationView } from './operations.ts';
import { PendingLines } from './pending-lines.ts';
import { Problem } from './problem.ts';
import { createSlots, type Standing } from './standing.ts';
import { createStateFeed } from './state-feed.ts';
import { type Position, writePosition } from './stream-position.ts';

export const TOPICS = ['events', 'jobs', 'state', 'operations', 'logs'] as const;
export type Topic = (typeof TOPICS)[number];

export interface Listening {
  /** Whose share of the streams it takes. */
  readonly standing: Standing;
  readonly topics: ReadonlySet<Topic>;
  /** Of which services lines are wanted; undefined: of all. */
  readonly services?: readonly string[] | undefined;
  /** What it saw last; undefined: it is here for the first time, and hears only what is new. */
  readonly position?: Position | undefined;
  /** Lines of before, for one that is here for the first time. */
  readonly tail?: number;
  /** Whether it may still listen: its token may have been revoked. Asked every ping. */
  isWelcome?(): Promise<boolean>;
}

export interface EventHub {
  /** Throws a Problem where too many listen. */
  open(listening: Listening): Readable;
  /** Ends every stream, and opens no more. */
  close(): void;
}

interface Listener extends Listening {
  readonly stream: PassThrough;
  /** Number of the last event sent; undefined: none yet. */
  sent: number | undefined;
  /** Of what comes while the past is still being fetched. */
  held: EventLine[] | undefined;
  readonly lines: PendingLines;
  /** It was told the whole state. */
  knowsState: boolean;
}

export interface HubPorts {
  readonly operate: Pick<Operate, 'lines' | 'get'>;
  readonly operations?: Pick<Operations, 'list' | 'follow'>;
  /** How often a quiet stream shows that it lives, ms; of tests. */
  readonly pingMs?: number;
}

const MOST_LISTENERS = { stranger: 0, anybody: 16, viewer: 16, operator: 16, admin: 16 };
/** A listener that lets so much pile up, in bytes, is sent away: it comes back and loses nothing that is kept. */
const TOO_SLOW_BYTES = 1024 * 1024;
const PING_MS = 15_000;
/** Greater than any number of an event. */
const FROM_NOW_ON = 999_999_999_999_999;
const BATCH_MS = 100;
/** What no event tells, as an alert that fires, is seen by a look; ms. */
const LOOK_MS = 5000;
/** Of operations that have ended, so long they are told to who comes; ms. */
const RECENT_MS = 10 * 60_000;
/** As many lines as PID 1 has at hand. */
const MOST_LINES = 500;
const PATIENCE_MS = 10_000;

export function createEventHub({ operate, operations, pingMs = PING_MS }: HubPorts): EventHub {
  const listeners = new Set<Listener>();
  const slots = createSlots(MOST_LISTENERS, {
    code: 'too-many-listeners',
    what: 'of this kind listen already',
    retryAfter: 10,
  });
  let last: number | undefined;
  let isClosed = false;
  let timers: readonly NodeJS.Timeout[] = [];
  let batch: NodeJS.Timeout | undefined;

  const events = createFollower<EventLine>(
    async (signal) => {
      // Whoever hears nothing and is cut off shall come back with a number, too.
      last ??= (await eventsAfter(0)).at(-1);
      return operate.lines(`/v1/events?since=${last ?? FROM_NOW_ON}&follow=1&jobs=1`, signal);
    },
    (line) => {
      if ('seq' in line) {
        last = line.seq;
        look();
      }
      for (const listener of [...listeners]) sendEvent(listener, line);
    },
  );
  const logs = createLogFeed(operate, (line) => {
    for (const { topics, lines } of listeners) if (topics.has('logs')) lines.add(line);
    batch ??= setTimeout(flushAll, BATCH_MS).unref();
  });
  const state = createStateFeed(operate, (frame) => {
    for (const listener of listeners) if (listener.knowsState) write(listener, frameOf('state', frame));
  });
  const unfollow = operations?.follow((view) => {
    for (const listener of listeners) if (listener.topics.has('operations')) sendOperation(listener, view);
  });

  function write({ stream }: Listener, text: string): void {
    if (stream.destroyed || stream.writableEnded) return;
    if (stream.writableLength + stream.readableLength > TOO_SLOW_BYTES) stream.destroy();
    else stream.write(text);
  }

  /** With logs the id says both, so that whatever came last tells how far it is in each. */
  function idOf({ sent, topics, lines, position }: Listener): string {
    const log = lines.isHeld ? position?.log : logs.position();
    return writePosition({ event: sent, log: topics.has('logs') ? log : undefined });
  }

  function sendEvent(listener: Listener, line: EventLine): void {
    const { topics, held, sent } = listener;
    const hasNumber = 'seq' in line;
    if (!topics.has(hasNumber || line.type === 'missed' ? 'events' : 'jobs')) return;
    if (held !== undefined) held.push(line);
    else if (!hasNumber) write(listener, frameOf(undefined, line));
    else if (sent === undefined || line.seq > sent) {
      // What its id says of lines must have been sent.
      flush(listener);
      listener.sent = line.seq;
      write(listener, frameOf(undefined, line, idOf(listener)));
    }
  }

  function sendOperation(listener: Listener, view: OperationView): void {
    write(listener, frameOf('operation', view));
  }

  function flush(listener: Listener): void {
    const lines = listener.lines.take();
    if (lines !== undefined) write(listener, frameOf('logs', lines, idOf(listener)));
  }

  function flushAll(): void {
    batch = undefined;
    for (const listener of [...listeners]) flush(listener);
  }

  function ping(): void {
    for (const listener of [...listeners]) {
      write(listener, ': ping\n\n');
      // Whoever may not listen any more is not told why: the next request tells it.
      void listener.isWelcome?.().then((is) => {
        if (!is) listener.stream.end();
      });
    }
  }

  function look(): void {
    if ([...listeners].some(({ knowsState }) => knowsState)) state.poke();
  }

  function join(listener: Listener): void {
    listeners.add(listener);
    listener.stream.once('close', () => leave(listener));
    if (listeners.size > 1) return;
    timers = [setInterval(ping, pingMs).unref(), setInterval(look, LOOK_MS).unref()];
  }

  function leave(listener: Listener): void {
    if (!listeners.delete(listener)) return;
    if (listener.topics.has('logs')) logs.leave();
    if (listeners.size > 0) return;
    for (const timer of timers) clearInterval(timer);
    events.end();
    last = undefined;
  }

  async function catchUp(listener: Listener): Promise<void> {
    const { topics } = listener;
    if (topics.has('logs')) await catchUpLogs(listener);
    if (topics.has('events') || topics.has('jobs') || topics.has('state')) await catchUpEvents(listener);
    if (topics.has('state')) {
      write(listener, frameOf('state', await state.whole()));
      listener.knowsState = true;
    }
    if (!topics.has('operations')) return;
    for (const view of [...(operations?.list() ?? [])].reverse()) {
      if (isRecent(view)) sendOperation(listener, view);
    }
  }

  async function catchUpEvents(listener: Listener): Promise<void> {
    await events.begin();
    const since = listener.position?.event;
    const past: EventLine[] = [];
    if (listener.topics.has('events') && since !== undefined) {
      const over = AbortSignal.timeout(PATIENCE_MS);
      for await (const line of await operate.lines<EventLine>(`/v1/events?since=${since}`, over))
        past.push(line);
    }
    const held = listener.held ?? [];
    listener.held = undefined;
    // Of a volume that was there before this one: numbers have begun anew.
    if (since !== undefined && last !== undefined && since > last) listener.sent = undefined;
    for (const line of [...past, ...held]) sendEvent(listener, line);
    if (!listener.topics.has('events') || last === undefined) return;
    // All up to there it has, or came too late for. A frame without data is none, but its id is remembered.
    listener.sent = last;
    write(listener, `id: ${idOf(listener)}\n\n`);
  }

  async function eventsAfter(since: number): Promise<readonly number[]> {
    const numbers: number[] = [];
    const over = AbortSignal.timeout(PATIENCE_MS);
    for await (const line of await operate.lines<EventLine>(`/v1/events?since=${since}`, over))
      if ('seq' in line) numbers.push(line.seq);
    return numbers;
  }

  async function catchUpLogs(listener: Listener): Promise<void> {
    const { position, tail = 0, services, lines } = listener;
    await logs.join();
    // What was added so far is among what is asked for now.
    if (position?.log !== undefined || tail > 0) lines.forget();
    const kept = position?.log && logs.after(position.log);
    if (kept !== undefined) {
      if (kept.missed) write(listener, frameOf('logs', { lines: [], missed: true }));
      lines.begin(kept.lines, false);
    } else if (position?.log !== undefined) {
      // Of another start of the API. The last millisecond comes once more, rather than not at all.
      const since = new Date(position.log.time).toISOString();
      const older = await logs.fetch(MOST_LINES, services, since);
      if (older.length >= MOST_LINES) write(listener, frameOf('logs', { lines: [], missed: true }));
      lines.begin(older, true);
    } else lines.begin(tail === 0 ? [] : await logs.fetch(tail, services), tail > 0);
    flush(listener);
    write(listener, `id: ${idOf(listener)}\n\n`);
  }

  return {
    open(listening) {
      if (isClosed)
        throw new Problem(503, 'stopping', 'the API is being stopped', { headers: { 'retry-after': '10' } });
      const free = slots.take(listening.standing);
      const listener: Listener = {
        ...listening,
        stream: new PassThrough(),
        sent: listening.position?.event,
        held: [],
        lines: new PendingLines(listening.services),
        knowsState: false,
      };
      listener.stream.once('close', free);
      join(listener);
      // The headers leave with the first bytes.
      write(listener, 'retry: 2000\n\n');
      // Cut off, it comes back by itself.
      catchUp(listener).catch(() => listener.stream.destroy());
      return listener.stream;
    },
    close() {
      isClosed = true;
      for (const timer of timers) clearInterval(timer);
      clearTimeout(batch);
      unfollow?.();
      for (const { stream } of [...listeners]) stream.end();
      events.end();
      logs.close();
      state.close();
    },
  };
}

function isRecent({ endedAt }: OperationView): boolean {
  return endedAt === undefined || Date.now() - Date.parse(endedAt) < RECENT_MS;
}

function frameOf(event: string | undefined, data: object, id?: string): string {
  const head = `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}`;
  return `${head}data: ${JSON.stringify(data)}\n\n`;
}
