import type { ChangeAction, ChangeAnswer, ChangeRequest } from '../protocol/control.ts';
import { describeChange } from './change-text.ts';
import type { Context } from './command.ts';

/** `start`, `stop` and `restart`: ask, wait unless told not to, say what changed and what next. */
export async function changeServices(
  context: Context,
  action: ChangeAction,
  names: readonly string[],
): Promise<number> {
  const { given, io } = context;
  const timeout = given.duration('timeout');
  const request: ChangeRequest = {
    names,
    wait: !given.has('no-wait'),
    ...(timeout === undefined ? {} : { timeout }),
  };
  const client = await context.client();
  const answer = await client.post<ChangeAnswer>(`/v1/services/${action}`, request);
  if (context.json) context.sayJson(answer);
  for (const change of answer.changes) {
    const tone = change.outcome === 'failed' ? 'bad' : change.outcome === 'pending' ? 'warn' : undefined;
    const text = describeChange(action, change, io.now());
    context.say(tone === undefined ? text : context.paint(tone, text));
  }
  return answer.exitCode;
}
