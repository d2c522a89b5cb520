/**
 * Events as server-sent events (WHATWG HTML, section 9.2). However many listen, PID 1 is asked once; who comes back
 * with the number of the last event it saw gets what PID 1 still keeps of those in between.
 */
import { PassThrough, type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLine } from '../protocol/control.ts';
import type { Operate } from './operate.ts';
import { Problem } from './problem.ts';

export interface EventHub {
  /** @param since number of the last event it saw; undefined: only new ones. Throws a Problem where too many listen. */
  open(since: number | undefined): Readable;
  /** Ends every stream, and opens no more. */
  close(): void;
}

interface Listener {
  readonly stream: PassThrough;
  /** Number of the last event sent. */
  sent: number;
  /** Of what comes while the past is still being fetched. */
  held: EventLine[] | undefined;
}

const MOST_LISTENERS = 32;
/** A listener that lets so much pile up, in bytes, is sent away: it comes back and loses nothing that is kept. */
const TOO_SLOW_BYTES = 1024 * 1024;
const PING_MS = 15_000;
/** Greater than any number of an event. */
const FROM_NOW_ON = 999_999_999_999_999;
const RETRY_MS = 1000;

/** @param pingMs how often a quiet stream shows that it lives */
export function createEventHub(operate: Pick<Operate, 'lines'>, pingMs: number = PING_MS): EventHub {
  const listeners = new Set<Listener>();
  let source: AbortController | undefined;
  let connected: Promise<void> | undefined;
  let last = FROM_NOW_ON;
  let isClosed = false;
  const ping = setInterval(() => {
    for (const listener of listeners) write(listener, ': ping\n\n');
  }, pingMs);
  ping.unref();

  function write(listener: Listener, text: string): void {
    const { stream } = listener;
    if (stream.writableLength + stream.readableLength > TOO_SLOW_BYTES) stream.destroy();
    else stream.write(text);
  }

  function send(listener: Listener, line: EventLine): void {
    if (listener.held !== undefined) {
      listener.held.push(line);
      return;
    }
    if ('seq' in line) {
      if (line.seq <= listener.sent) return;
      listener.sent = line.seq;
    }
    write(listener, `${'seq' in line ? `id: ${line.seq}\n` : ''}data: ${JSON.stringify(line)}\n\n`);
  }

  /** Follows PID 1 for as long as anybody listens; resolves with the first connection. */
  function follow(): Promise<void> {
    if (connected !== undefined) return connected;
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = new AbortController();
    source = stop;
    connected = promise;
    void (async () => {
      while (!stop.signal.aborted) {
        try {
          const lines = await operate.lines<EventLine>(`/v1/events?since=${last}&follow=1`, stop.signal);
          resolve();
          for await (const line of lines) {
            if ('seq' in line) last = line.seq;
            for (const listener of [...listeners]) send(listener, line);
          }
        } catch {
          // It is tried again; who listens sees nothing in between, and then all that is kept.
        }
        await sleep(RETRY_MS, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
      }
      resolve();
    })();
    return promise;
  }

  function leave(listener: Listener): void {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    source?.abort();
    connected = undefined;
    last = FROM_NOW_ON;
  }

  async function catchUp(listener: Listener, since: number | undefined): Promise<void> {
    await follow();
    const past: EventLine[] = [];
    if (since !== undefined) {
      const over = AbortSignal.timeout(10_000);
      for await (const line of await operate.lines<EventLine>(`/v1/events?since=${since}`, over))
        past.push(line);
    }
    const held = listener.held ?? [];
    listener.held = undefined;
    for (const line of [...past, ...held]) send(listener, line);
  }

  return {
    open(since) {
      if (isClosed || listeners.size >= MOST_LISTENERS) {
        throw new Problem(503, 'too-many-listeners', `${MOST_LISTENERS} listen already`, {
          headers: { 'retry-after': '10' },
        });
      }
      const listener: Listener = { stream: new PassThrough(), sent: since ?? 0, held: [] };
      listeners.add(listener);
      listener.stream.once('close', () => leave(listener));
      // The headers leave with the first bytes.
      write(listener, 'retry: 2000\n\n');
      // Cut off, it comes back by itself.
      catchUp(listener, since).catch(() => listener.stream.destroy());
      return listener.stream;
    },
    close() {
      isClosed = true;
      clearInterval(ping);
      for (const { stream } of [...listeners]) stream.end();
      source?.abort();
    },
  };
}
