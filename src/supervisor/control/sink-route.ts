import type { ToldAnswer } from '../../protocol/alerts.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import { sendJson } from './answers.ts';
import type { Exchange } from './exchange.ts';
import { badRequest, isObject, type JsonObject, readObject } from './request-body.ts';

/** Twenty alerts with ten lines of a log each. */
const LARGEST_MESSAGE = 1024 * 1024;
/** Of one variable: execve(2) takes 128 KB, and a script wants a sentence. In characters. */
const LONGEST_VARIABLE = 4096;
/** What a script needs to know without reading JSON, by the keys of the message. */
const VARIABLES = [
  'status',
  'alertname',
  'severity',
  'service',
  'summary',
  'description',
  'fingerprint',
] as const;

/** Has the command of a sink told; answers when it has ended, however long that takes. */
export async function tellSink({ request, response, target }: Exchange): Promise<void> {
  const { sink, message } = await readObject(request, ['sink', 'message'], LARGEST_MESSAGE);
  if (typeof sink !== 'string') throw badRequest('"sink" must be the name of a sink');
  if (!isObject(message)) throw badRequest('"message" must be an object');
  const told = await target.tellSink(sink, {
    json: `${JSON.stringify(message)}\n`,
    env: variablesOf(message),
  });
  sendJson(response, 200, { schemaVersion: SCHEMA_VERSION, ...told } satisfies ToldAnswer);
}

/** `BULKHEAD_ALERT_STATUS` and so on. No variable can hold a NUL. */
function variablesOf(message: JsonObject): Record<string, string> {
  return Object.fromEntries(
    VARIABLES.flatMap((key) => {
      const value = message[key];
      return typeof value === 'string'
        ? [[`BULKHEAD_ALERT_${key.toUpperCase()}`, value.replaceAll('\0', '').slice(0, LONGEST_VARIABLE)]]
        : [];
    }),
  );
}
