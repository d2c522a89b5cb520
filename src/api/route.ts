/** How a route of the API is written down: what serves it, what checks it and what describes it are one thing. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Role } from '../config/roles.ts';
import type { Scrape } from '../metrics/scrape.ts';
import type { Admission } from './admission.ts';
import type { AlertDesk } from './alert-desk.ts';
import type { Audit } from './audit.ts';
import type { Caller } from './caller.ts';
import type { EventHub } from './event-hub.ts';
import type { Operate } from './operate.ts';
import type { Operations } from './operations.ts';
import type { Readings } from './readings.ts';
import type { Sessions } from './sessions.ts';
import type { TokenBook } from './token-book.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A request that was admitted and is of the right shape. */
export interface Asked {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** Its value; undefined: not sent. Names are lower case. */
  header(name: string): string | undefined;
  readonly caller: Caller;
  /** Whose route it is: the least role that may ask. */
  readonly role: Role;
  /** As it came. */
  readonly raw: IncomingMessage;
}

export interface Answer {
  readonly status: number;
  /** None: an answer without content. */
  readonly body?: object | Readable | string;
  readonly headers?: Readonly<Record<string, string>>;
  /** For the audit log: who it was, where only the route knows. */
  readonly actor?: string;
  /** For the audit log: what it was about, where the path does not say. */
  readonly about?: string;
}

export interface Served {
  readonly operate: Operate;
  readonly events: EventHub;
  readonly admission: Pick<Admission, 'login'>;
  readonly sessions: Sessions;
  readonly tokens: Pick<TokenBook, 'stillThere'>;
  readonly operations: Operations;
  readonly readings: Readings;
  readonly audit: Pick<Audit, 'read'>;
  /** Nobody may change anything. */
  readonly readOnly: boolean;
  /** Milliseconds since the epoch. */
  wallClock(): number;
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
  readonly group:
    | 'jobs'
    | 'schedules'
    | 'alerts'
    | 'product'
    | 'services'
    | 'operations'
    | 'backups'
    | 'database'
    | 'configuration'
    | 'access';
  /** The least that may ask. `anybody`: who wants to log in. */
  readonly role: Role | 'anybody';
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
