import { Failure } from '../../base/errors.ts';
import { suggestWord } from '../../base/suggest.ts';
import { RULE_NAMES } from '../../config/alert-rules.ts';
import type { AlertsAnswer, SilenceView } from '../../protocol/alerts.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { askApi } from '../ask-api.ts';
import type { Context } from '../command.ts';

export async function run(context: Context): Promise<number> {
  const { given } = context;
  const [word = ''] = given.words;
  const [alertname = '', service] = word.split(/\/(.*)/s);
  if (!RULE_NAMES.some((name) => name === alertname)) {
    const meant = suggestWord(alertname, RULE_NAMES);
    throw new Failure(`there is no alert ${alertname}`, {
      exitCode: CommandExit.unknownName,
      remedy: meant === undefined ? `there are: ${RULE_NAMES.join(', ')}` : `did you mean ${meant}?`,
    });
  }
  if (given.has('end')) return endSilences(context, alertname, service);
  const [lasting, comment] = [given.value('for'), given.value('comment')];
  const silence = await askApi<SilenceView>(context, 'POST', '/alerts/silences', {
    alertname,
    ...(service ? { service } : {}),
    ...(lasting === undefined ? {} : { for: lasting }),
    ...(comment === undefined ? {} : { comment }),
  });
  if (context.json) context.sayJson(silence);
  else context.say(`${word} is silent until ${silence.until.slice(0, 16).replace('T', ' ')} UTC`);
  return CommandExit.ok;
}

async function endSilences(
  context: Context,
  alertname: string,
  service: string | undefined,
): Promise<number> {
  const { silences } = await askApi<AlertsAnswer>(context, 'GET', '/alerts');
  const meant = silences.filter(
    (one) => one.alertname === alertname && one.service === (service || undefined),
  );
  for (const { id } of meant) await askApi(context, 'DELETE', `/alerts/silences/${id}`);
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, ended: meant.length });
  else
    context.say(meant.length === 0 ? 'nothing of it was silent' : `${context.given.words[0]} is told again`);
  return CommandExit.ok;
}
