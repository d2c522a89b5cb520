/** The routes that start and stop services. */
import type { ChangeAction, ChangeAnswer, ReloadAnswer, ScaleAnswer } from '../protocol/control.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import type { ProductStatus } from '../protocol/status.ts';
import { begin, readTimeout } from './begin.ts';
import { BEGUN, reloadWish, serviceChange, serviceRestart, serviceScale } from './operation-schemas.ts';
import { Cancelled } from './operations.ts';
import { Problem } from './problem.ts';
import type { Answer, ApiRoute, Asked, Served } from './route.ts';
import { reloadAnswer, serviceAnswer } from './service-schemas.ts';

const answers = { ...BEGUN, 404: { what: 'unknown-service' } };

export const SERVICE_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/services/:name',
    group: 'services',
    role: 'viewer',
    summary: 'one service, or the first of its replicas',
    answers: { 200: { what: 'the service', schema: serviceAnswer }, 404: { what: 'unknown-service' } },
    run: showService,
  },
  {
    method: 'POST',
    path: '/services/:name/start',
    group: 'services',
    role: 'operator',
    summary: 'start a service; done when it is ready',
    body: serviceChange,
    answers,
    run: (asked, served) => change('start', asked, served),
  },
  {
    method: 'POST',
    path: '/services/:name/stop',
    group: 'services',
    role: 'operator',
    summary: 'stop a service and keep it stopped',
    body: serviceChange,
    answers,
    run: (asked, served) => change('stop', asked, served),
  },
  {
    method: 'POST',
    path: '/services/:name/restart',
    group: 'services',
    role: 'operator',
    summary: 'stop a service and start it again; done when it is ready',
    body: serviceRestart,
    answers,
    run: (asked, served) => change('restart', asked, served),
  },
  {
    method: 'POST',
    path: '/services/:name/scale',
    group: 'services',
    role: 'operator',
    summary: 'start or stop replicas until there are so many; a reload goes back to the plan',
    body: serviceScale,
    answers,
    run: scale,
  },
  {
    method: 'POST',
    path: '/reload',
    group: 'services',
    role: 'operator',
    summary: 'read the configuration again and change only what differs',
    body: reloadWish,
    answers: {
      200: { what: 'what changes, or would', schema: reloadAnswer },
      409: { what: 'fixed-setting: only a start of the container can change that' },
      422: { what: 'invalid-configuration: nothing was changed' },
    },
    run: async ({ body }, { operate }) => ({
      status: 200,
      body: await operate.post<ReloadAnswer>('/v1/reload', { dryRun: body.dryRun === true }),
    }),
  },
];

const USUAL_TIMEOUT = 120_000;

async function showService({ params }: Asked, { operate }: Served): Promise<Answer> {
  const { services } = await operate.get<ProductStatus>('/v1/status');
  const { name } = params;
  const found =
    services.find((service) => service.name === name) ?? services.find(({ replicaOf }) => replicaOf === name);
  if (found) return { status: 200, body: { schemaVersion: SCHEMA_VERSION, ...found } };
  throw new Problem(404, 'unknown-service', `there is no service ${name}`, { remedy: 'see: GET /services' });
}

function change(action: ChangeAction, asked: Asked, served: Served): Promise<Answer> {
  const { name = '' } = asked.params;
  const { rolling = false, dependents = false } = asked.body;
  const body = {
    names: [name],
    wait: true,
    timeout: readTimeout(asked.body) ?? USUAL_TIMEOUT,
    ...(action === 'restart' ? { rolling, dependents } : {}),
  };
  return begin(controlWork(action, name, `/v1/services/${action}`, body, served), asked, served);
}

function scale(asked: Asked, served: Served): Promise<Answer> {
  const { name = '' } = asked.params;
  const body = {
    sizes: { [name]: asked.body.replicas },
    wait: true,
    timeout: readTimeout(asked.body) ?? USUAL_TIMEOUT,
  };
  return begin(controlWork('scale', name, '/v1/scale', body, served), asked, served);
}

/** A change that PID 1 makes itself: done when each service has come to rest. */
export function controlWork(
  kind: string,
  about: string,
  path: string,
  body: object,
  { operate }: Served,
): Parameters<typeof begin>[0] {
  return {
    kind,
    about,
    async run({ cancelled, left }) {
      // Either ends the waiting alone: what was asked for goes on.
      const signal = AbortSignal.any([cancelled, left]);
      const answer = await operate
        .postLong<ChangeAnswer | ScaleAnswer>(path, body, signal)
        .catch((error: unknown) => {
          throw cancelled.aborted ? new Cancelled() : error;
        });
      const bad = answer.changes.find(({ outcome }) => outcome === 'failed' || outcome === 'pending');
      if (bad === undefined) return answer;
      const { status, reason } = bad.after;
      const why = reason === '' ? '' : `: ${reason}`;
      throw bad.outcome === 'failed'
        ? new Problem(502, 'failed', `${bad.name} is ${status}${why}`, {
            remedy: `see: GET /logs?service=${bad.name}`,
          })
        : new Problem(504, 'timed-out', `${bad.name} is still ${status}${why}`);
    },
  };
}
