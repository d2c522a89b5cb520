import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { ProductStatus } from '../../protocol/status.ts';
import type { Context } from '../command.ts';
import { renderSchedules } from '../schedule-text.ts';

export async function run(context: Context): Promise<number> {
  const client = await context.client();
  const { schedules } = await client.get<ProductStatus>('/v1/status');
  if (context.json) {
    context.sayJson({ schemaVersion: SCHEMA_VERSION, schedules });
  } else if (schedules.length === 0) {
    context.say('the plan has no schedules');
  } else {
    const { now, out } = context.io;
    context.say(renderSchedules(schedules, now(), out.columns, context.paint).join('\n'));
  }
  return CommandExit.ok;
}
