import type { EventLine } from '../../protocol/control.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { usageFailure } from '../arguments.ts';
import type { Context } from '../command.ts';
import { describeEvent } from '../event-text.ts';
import { untilInterrupted } from '../follow.ts';

export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const query = new URLSearchParams();
  const since = given.value('since');
  if (since !== undefined && !/^\d{1,15}$/.test(since)) {
    throw usageFailure(
      `cannot run events: --since must be the number of an event, not "${since}"`,
      'write --since 120',
    );
  }
  if (since !== undefined) query.set('since', since);
  if (given.has('follow')) query.set('follow', '1');
  const client = await context.client();
  await untilInterrupted(io, async (signal) => {
    try {
      for await (const event of await client.lines<EventLine>(`/v1/events?${query}`, { signal })) {
        if (context.json) context.sayJson(event);
        else context.say(describeEvent(event, context.paint));
        await io.out.flushed();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  });
  return CommandExit.ok;
}
