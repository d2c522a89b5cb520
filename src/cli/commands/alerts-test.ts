import type { AlertTestAnswer } from '../../protocol/alerts.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { nobodyIsTold } from '../alert-text.ts';
import { askApi } from '../ask-api.ts';
import type { Context } from '../command.ts';
import { tameLine } from '../terminal.ts';

export async function run(context: Context): Promise<number> {
  const [sink] = context.given.words;
  const answer = await askApi<AlertTestAnswer>(
    context,
    'POST',
    '/alerts/test',
    sink === undefined ? {} : { sink },
  );
  if (context.json) context.sayJson(answer);
  for (const { sink: name, ok, error = '' } of answer.results) {
    context.say(ok ? `${name}: told` : `${name}: cannot be told: ${tameLine(error)}`);
  }
  if (answer.results.length === 0) context.say(nobodyIsTold(answer.sinksOff));
  return answer.results.every(({ ok }) => ok) ? CommandExit.ok : CommandExit.failed;
}
