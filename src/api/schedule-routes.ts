/** The routes about what runs by the clock. */
import type { ScheduleRunAnswer } from '../protocol/schedules.ts';
import { type ProductStatus, SCHEMA_VERSION } from '../protocol/status.ts';
import type { Answer, ApiRoute, Served } from './route.ts';
import { nothing, scheduleRun, schedules } from './schemas.ts';

export const SCHEDULE_ROUTES: readonly ApiRoute[] = [
  {
    method: 'GET',
    path: '/schedules',
    group: 'schedules',
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
    summary: 'run a schedule now, besides the times it is due',
    body: nothing,
    answers: {
      202: { what: 'asked for', schema: scheduleRun },
      404: { what: 'there is none of the name' },
      409: { what: 'it runs already, or is off' },
    },
    run: ({ params }, served) => runSchedule(params.name ?? '', served),
  },
];

/** Nobody waits for its end: it may take hours. */
export async function runSchedule(name: string, { operate }: Served): Promise<Answer> {
  const body = await operate.post<ScheduleRunAnswer>('/v1/schedules/run', { name, wait: false });
  return { status: 202, body };
}
