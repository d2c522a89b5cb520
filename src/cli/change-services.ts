import type { ChangeAction, ChangeAnswer, ChangeRequest, ServiceChange } from '../protocol/control.ts';
import { usageFailure } from './arguments.ts';
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
    ...(given.has('rolling') ? { rolling: true } : {}),
    ...(given.has('dependents') ? { dependents: true } : {}),
  };
  if (request.rolling === true && request.dependents === true) {
    throw usageFailure(
      'cannot run restart: --rolling and --dependents exclude each other',
      'drop one of them: dependents are stopped before what they depend on',
    );
  }
  if (request.rolling === true && request.wait === false) {
    throw usageFailure(
      'cannot run restart: --rolling goes on when a service is ready, so it has to wait',
      'drop --no-wait',
    );
  }
  const client = await context.client();
  const answer = await client.post<ChangeAnswer>(`/v1/services/${action}`, request);
  if (context.json) context.sayJson(answer);
  for (const change of answer.changes) sayChange(context, change, describeChange(action, change, io.now()));
  return answer.exitCode;
}

/** In the colour of its outcome. */
export function sayChange(context: Context, { outcome }: Pick<ServiceChange, 'outcome'>, text: string): void {
  const isOpen = outcome === 'pending' || outcome === 'untouched';
  const tone = outcome === 'failed' ? 'bad' : isOpen ? 'warn' : undefined;
  context.say(tone === undefined ? text : context.paint(tone, text));
}
