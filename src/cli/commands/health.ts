import { messageOf } from '../../base/errors.ts';
import { http } from '../../base/node-http.ts';
import type { HealthAnswer } from '../../protocol/control.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { Overall } from '../../protocol/verdict.ts';
import type { Context } from '../command.ts';
import { checkDeeply } from '../deep-check.ts';
import { tameLine } from '../terminal.ts';

const WORDS: Readonly<Record<Overall, string>> = { pass: 'healthy', warn: 'degraded', fail: 'unhealthy' };
const PATIENCE_MS = 5000;

/** 0 or 1 and nothing else, because Docker reserves 2: also when nobody answers. */
export async function run(context: Context): Promise<number> {
  if (context.given.has('deep')) return runDeep(context);
  const level = context.given.value('level') ?? 'ready';
  const client = await context.client();
  let answer: Omit<HealthAnswer, 'level'>;
  try {
    answer = await client.get<HealthAnswer>(`/v1/health?level=${level}`, {
      accept: [503],
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch (error) {
    answer = await askProbe(level, probePort(context), messageOf(error));
  }
  if (context.json) context.sayJson({ ...answer, level });
  const word = level === 'live' ? (answer.ok ? 'live' : 'not live') : WORDS[answer.status];
  context.say(
    context.paint(
      answer.ok ? 'good' : 'bad',
      answer.reason === '' ? word : `${word}: ${strip(answer.reason, word)}`,
    ),
  );
  return answer.ok ? CommandExit.ok : CommandExit.failed;
}

/** The last line says why not: it is the one that a schedule keeps. */
async function runDeep(context: Context): Promise<number> {
  const checks = await checkDeeply(context);
  const bad = checks.filter(({ ok }) => !ok);
  const reason = bad.map(({ what, text }) => `${what}: ${text}`).join('; ');
  const ok = bad.length === 0;
  if (context.json) {
    const status: Overall = ok ? 'pass' : 'fail';
    context.sayJson({ schemaVersion: SCHEMA_VERSION, ok, status, reason, level: 'deep', checks });
  }
  for (const check of checks) {
    const mark = check.ok ? context.paint('good', '✔') : context.paint('bad', '✖');
    context.say(`${mark} ${check.what}: ${tameLine(check.text)}`);
  }
  context.say(context.paint(ok ? 'good' : 'bad', ok ? 'healthy' : `unhealthy: ${tameLine(reason)}`));
  return ok ? CommandExit.ok : CommandExit.failed;
}

/** The reason sentence may begin with the very word. */
function strip(reason: string, word: string): string {
  return reason.startsWith(`${word}: `) ? reason.slice(word.length + 2) : reason;
}

/** Users who may not open the socket still reach the probe port. */
async function askProbe(
  level: string,
  port: number,
  socketCause: string,
): Promise<Omit<HealthAnswer, 'level'>> {
  const url = `http://127.0.0.1:${port}/${level === 'live' ? 'livez' : 'readyz'}`;
  return new Promise((resolve) => {
    const settle = (ok: boolean, reason: string) =>
      resolve({ schemaVersion: SCHEMA_VERSION, ok, status: ok ? 'pass' : 'fail', reason });
    const request = http.get(url, { agent: false, timeout: PATIENCE_MS }, (response) => {
      response.resume();
      const { statusCode } = response;
      settle(statusCode === 200, statusCode === 200 ? '' : `${url} answered ${statusCode ?? 'nothing'}`);
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', (error) => settle(false, `${socketCause}; and ${url}: ${error.message}`));
  });
}

/** Kubernetes injects BULKHEAD_PORT=tcp://… where a Service bears our name: then it is not ours. */
function probePort({ io }: Context): number {
  const text = io.env.BULKHEAD_PORT ?? '';
  return /^\d+$/.test(text) ? Number(text) : 9700;
}
