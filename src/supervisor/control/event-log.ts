import type { BulkheadEvent, EventBody } from '../../protocol/events.ts';
import type { JobEvent } from '../../protocol/jobs.ts';

/** What the log needs from outside: the wall clock and a place that outlives the process. */
export interface EventLogPorts {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Appends one line, without its newline, to `<dataDir>/bulkhead/events.ndjson`; never throws. */
  appendLine(line: string): void;
  /** A listener threw: told, never fatal. */
  listenerFailed(error: unknown): void;
}

interface EventsSince {
  readonly events: readonly BulkheadEvent[];
  /** Sequence number of the oldest event still kept, where some that were asked for are gone. */
  readonly missedBefore: number | undefined;
}

/** Append-only, numbered without a gap over all boots; the newest of this one are kept for those who come late. */
export interface EventLog {
  append(body: EventBody): BulkheadEvent;
  /** Events with a greater number than `seq`, oldest first; 0 means all of this boot that are kept. */
  since(seq: number): EventsSince;
  /** Calls back for every later event, in order, before `append` returns. Returns the way out. */
  follow(listener: (event: BulkheadEvent) => void): () => void;
  /** Something that has no number and is not kept: there are too many of them. */
  mention(event: JobEvent): void;
  /** Calls back for what is mentioned. Returns the way out. */
  overhear(listener: (event: JobEvent) => void): () => void;
}

/**
 * @param options `capacity`: how many events stay in memory; `after`: the number of the last one of an earlier boot, 0:
 *   this is the first
 */
export function createEventLog(
  ports: EventLogPorts,
  { capacity = 1000, after: before = 0 }: { readonly capacity?: number; readonly after?: number } = {},
): EventLog {
  const ring: BulkheadEvent[] = [];
  const listeners = new Set<(event: BulkheadEvent) => void>();
  const overhearers = new Set<(event: JobEvent) => void>();
  let seq = before;

  return {
    append(body) {
      seq += 1;
      const event: BulkheadEvent = { seq, at: new Date(ports.now()).toISOString(), ...body };
      ring.push(event);
      if (ring.length > capacity) ring.shift();
      ports.appendLine(JSON.stringify(event));
      tell(listeners, event);
      return event;
    },
    since(after) {
      const oldest = ring[0]?.seq ?? seq + 1;
      // Who asks for all there is means this boot; who names a number has seen an earlier one.
      const seen = after === 0 ? before : after;
      return {
        events: ring.filter((event) => event.seq > after),
        missedBefore: oldest > seen + 1 ? oldest : undefined,
      };
    },
    follow(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    mention: (event) => tell(overhearers, event),
    overhear(listener) {
      overhearers.add(listener);
      return () => overhearers.delete(listener);
    },
  };

  function tell<Event>(all: ReadonlySet<(event: Event) => void>, event: Event): void {
    for (const listener of [...all]) {
      try {
        listener(event);
      } catch (error) {
        ports.listenerFailed(error);
      }
    }
  }
}
