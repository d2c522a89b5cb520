import type { AlertsAnswer } from '../../protocol/alerts.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { renderAlerts } from '../alert-text.ts';
import { askApi } from '../ask-api.ts';
import type { Context } from '../command.ts';

export async function run(context: Context): Promise<number> {
  const answer = await askApi<AlertsAnswer>(context, 'GET', '/alerts');
  const { now, out } = context.io;
  if (context.json) context.sayJson(answer);
  else context.say(renderAlerts(answer, now(), out.columns, context.paint).join('\n'));
  return CommandExit.ok;
}
