/** How a route of the API is written down: what serves it, what checks it and what describes it are one thing. */
import type { Readable } from 'node:stream';
import type { Scrape } from '../metrics/scrape.ts';
import type { AlertDesk } from './alert-desk.ts';
import type { EventHub } from './event-hub.ts';
import type { Operate } from './operate.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A request that was admitted and is of the right shape. */
export interface Asked {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** Its value; undefined: not sent. Names are lower case. */
  header(name: string): string | undefined;
}

export interface Answer {
  readonly status: number;
  /** None: an answer without content. */
  readonly body?: object | Readable | string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Served {
  readonly operate: Operate;
  readonly events: EventHub;
  /** Undefined: the plan wants no metrics. */
  readonly scrape: Scrape | undefined;
  /** Undefined: the plan has none. */
  readonly alerts: AlertDesk | undefined;
  /** Of the API itself, as OpenAPI tells it. */
  readonly description: () => object;
}

export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With `:name` for its parameters. */
  readonly path: string;
  readonly summary: string;
  readonly group: 'jobs' | 'schedules' | 'alerts' | 'product';
  readonly query?: JsonSchema;
  readonly body?: JsonSchema;
  /** Request headers it heeds. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Every status it may answer with, but for those any route may. A text: what it is about; of a failure, when. */
  readonly answers: Readonly<
    Record<number, { readonly what: string; readonly schema?: JsonSchema; readonly type?: string }>
  >;
  run(asked: Asked, served: Served): Answer | Promise<Answer>;
}
