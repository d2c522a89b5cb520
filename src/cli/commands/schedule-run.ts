import { CommandExit } from '../../protocol/exit-codes.ts';
import type { ScheduleRunAnswer } from '../../protocol/schedules.ts';
import type { Context } from '../command.ts';
import { describeEnd } from '../schedule-text.ts';

export async function run(context: Context): Promise<number> {
  const [name = ''] = context.given.words;
  const client = await context.client();
  const wait = !context.given.has('no-wait');
  const answer = await client.post<ScheduleRunAnswer>('/v1/schedules/run', { name, wait });
  const { end } = answer;
  if (context.json) context.sayJson(answer);
  else context.say(end ? describeEnd(name, end) : `${name} is running; see: bulkhead logs ${name} -f`);
  return end?.ok === false ? CommandExit.failed : CommandExit.ok;
}
