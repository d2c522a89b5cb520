import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import type { Rights } from './rights.ts';
import type { ControlTarget } from './target.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly target: ControlTarget;
  readonly clock: Clock;
  readonly rights: Rights;
  /** Aborted when the server closes: whoever waits or follows ends. */
  readonly closing: AbortSignal;
}
