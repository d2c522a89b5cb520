/** The routes about what runs by the clock. */
import type { ScheduleRunAnswer } from '../protocol/schedules.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import type { ProductStatus } from '../protocol/status.ts';
import { Problem } from './problem.ts';
import type { Answer, ApiRoute, Served } from './route.ts';
import { nothing, scheduleRun, schedules } from './schemas.ts';

export const SCHEDULE_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/schedules',
    group: 'schedules',
    role: 'viewer',
    summary: 'what runs by the clock: when next, and how it went last time',
    answers: { 200: { what: 'every schedule', schema: schedules } },
    run: async (_asked, { operate }) => {
      const product = await operate.get<ProductStatus>('/v1/status');
      return { status: 200, body: { schemaVersion: SCHEMA_VERSION, schedules: product.schedules } };
    },
  },
  {
    method: 'POST',
    path: '/schedules/:name/run',
    group: 'schedules',
    role: 'operator',
    summary: 'run a schedule now, besides the times it is due',
    body: nothing,
    answers: {
      202: {
        what: 'asked for; `end` is there where it ended at once, else `doing` where it has something to say',
        schema: scheduleRun,
      },
      404: { what: 'there is none of the name' },
      409: { what: 'it runs already, or is off' },
      502: { what: 'run-failed: at once' },
    },
    run: ({ params }, served) => runSchedule(params.name ?? '', served),
  },
];

/** A schedule that adds a job has done so by then; it, as every run, may take hours, and nobody waits for that. */
const PATIENCE_MS = 1000;

export async function runSchedule(name: string, { operate }: Served): Promise<Answer> {
  const answer = await operate.postWithin<ScheduleRunAnswer>(PATIENCE_MS, '/v1/schedules/run', {
    name,
    wait: true,
  });
  if (answer === undefined) {
    const { schedules } = await operate.get<ProductStatus>('/v1/status');
    const doing = schedules.find((each) => each.name === name)?.doing;
    return { status: 202, body: { schemaVersion: SCHEMA_VERSION, name, ...(doing ? { doing } : {}) } };
  }
  const { end } = answer;
  if (end?.ok === false) throw new Problem(502, 'run-failed', `${name} failed: ${end.reason}`);
  return { status: 202, body: answer };
}
