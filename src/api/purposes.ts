/** The connections to PID 1, shared out by what they are for: what takes hours keeps no short question waiting. */
import type { Agent } from 'node:http';
import { http } from '../base/node-http.ts';

/**
 * `short`: PID 1 answers at once. `worker`: the worker is asked, or a schedule runs. `run`: a child answers within a
 * minute. `operation`: hours. `sink`: a command that tells of an alert. `look`: lines there are. `follow`: lines as
 * they come.
 */
export type Purpose = 'short' | 'worker' | 'run' | 'operation' | 'sink' | 'look' | 'follow';

/** Together less than the 64 that PID 1 takes on this socket. */
const MOST_AT_ONCE: Readonly<Record<Purpose, number>> = {
  short: 8,
  worker: 8,
  // As many as readings.ts lets begin, and the figures.
  run: 12,
  // As many as operations.ts lets begin, and those that are taken up again one after the other.
  operation: 18,
  sink: 4,
  look: 8,
  follow: 4,
};

/** No connection is kept: the other side may close one at the moment we use it, and a POST must not be sent twice. */
export function openPurposes(): (purpose: Purpose) => Agent {
  const agents = new Map<Purpose, Agent>();
  return (purpose) => {
    const agent =
      agents.get(purpose) ?? new http.Agent({ keepAlive: false, maxSockets: MOST_AT_ONCE[purpose] });
    agents.set(purpose, agent);
    return agent;
  };
}
