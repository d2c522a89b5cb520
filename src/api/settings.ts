import { Failure } from '../base/errors.ts';
import type { AssignedApi, Assignment } from '../protocol/channel.ts';

export interface ApiSettings extends Pick<AssignedApi, 'host' | 'allowedHosts' | 'readOnly' | 'metrics'> {
  /** 0: any free one. */
  readonly port: number;
  readonly token: string;
  readonly dataDir: string;
  /** Of the plan. */
  readonly jobTypes: readonly string[];
  /** The socket on which PID 1 serves us. */
  readonly operateSocket: string;
}

/** A shorter one can be guessed. */
const SHORTEST_TOKEN = 20;
const VISIBLE = /^[\x21-\x7e]+$/;

/** Reads what PID 1 gave us; throws a Failure where we must not start with it. */
export function readSettings({ api, jobs, input, secrets, dataDir }: Assignment): ApiSettings {
  const { operateSocket } = input;
  if (api === undefined || operateSocket === undefined) throw new Error('the assignment is none of the API');
  const { host, port, allowedHosts, readOnly, metrics } = api;
  return {
    host,
    port,
    allowedHosts: allowedHosts.map((name) => name.toLowerCase()),
    readOnly,
    metrics,
    dataDir,
    token: checkToken(secrets.token),
    jobTypes: jobs?.types.map(({ name }) => name) ?? [],
    operateSocket,
  };
}

function checkToken(token: string | undefined): string {
  if (token === undefined) {
    throw new Failure('cannot serve the API: there is no token', {
      remedy: 'set BULKHEAD_TOKEN, or let Bulkhead write to the secrets folder of its volume',
    });
  }
  if (token.length >= SHORTEST_TOKEN && VISIBLE.test(token)) return token;
  const fault =
    token.length < SHORTEST_TOKEN
      ? `its token has ${token.length} characters`
      : 'its token has characters that no header can carry';
  throw new Failure(`cannot serve the API: ${fault}`, {
    remedy: `give BULKHEAD_TOKEN at least ${SHORTEST_TOKEN} visible ASCII characters, as from: openssl rand -base64 32`,
  });
}
