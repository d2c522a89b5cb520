import { Failure } from '../base/errors.ts';
import type { ApiTokenPlan } from '../config/plan-jobs.ts';
import { faultOfToken } from '../config/roles.ts';
import type { AssignedApi, Assignment } from '../protocol/channel.ts';

export interface ApiSettings extends Pick<AssignedApi, 'host' | 'allowedHosts' | 'readOnly' | 'metrics'> {
  /** 0: any free one. */
  readonly port: number;
  /** The main one. */
  readonly token: string;
  /** Of the plan, with their values. */
  readonly tokens: readonly ApiTokenPlan[];
  readonly dataDir: string;
  /** Of the plan. */
  readonly jobTypes: readonly string[];
  /** The socket on which PID 1 serves us. */
  readonly operateSocket: string;
}

/** Reads what PID 1 gave us; throws a Failure where we must not start with it. */
export function readSettings({ api, jobs, input, secrets, dataDir }: Assignment): ApiSettings {
  const { operateSocket } = input;
  if (api === undefined || operateSocket === undefined) throw new Error('the assignment is none of the API');
  const { host, port, allowedHosts, readOnly, metrics } = api;
  const token = checkToken(secrets.token);
  const tokens = api.tokens
    .map((one) => ({ ...one, token: secrets[`api.tokens.${one.name}`] ?? '' }))
    .filter(isGiven);
  refuseTwin(token, tokens);
  return {
    host,
    port,
    allowedHosts: allowedHosts.map((name) => name.toLowerCase()),
    readOnly,
    metrics,
    dataDir,
    token,
    tokens,
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
  const fault = faultOfToken(token);
  if (fault === undefined) return token;
  throw new Failure(`cannot serve the API: its token ${fault}`, {
    remedy: 'give BULKHEAD_TOKEN at least 20 visible ASCII characters, as from: openssl rand -base64 32',
  });
}

/** The plan was compared with BULKHEAD_TOKEN; the one that the volume keeps is known to nobody before. */
function refuseTwin(main: string, tokens: readonly ApiTokenPlan[]): void {
  const twin = tokens.find(({ token }) => token === main);
  if (twin === undefined) return;
  throw new Failure(
    `cannot serve the API: api.tokens.${twin.name} of the plan is the same as the main token`,
    {
      remedy: 'give it a value of its own, as from: openssl rand -base64 32',
    },
  );
}

function isGiven({ token }: ApiTokenPlan): boolean {
  return token !== '';
}
