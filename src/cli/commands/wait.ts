import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../base/duration.ts';
import { Failure } from '../../base/errors.ts';
import type { EventLine, HealthAnswer } from '../../protocol/control.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { ProductStatus } from '../../protocol/status.ts';
import type { Client } from '../client.ts';
import type { Context } from '../command.ts';
import { untilInterrupted } from '../follow.ts';
import { pickServices } from '../service-names.ts';

/** Between two tries while the supervisor is not there yet; once it is, its events are followed and nothing is polled. */
const RETRY_MS = 200;

/** What the last look said, for the message of a timeout. */
interface Look {
  readonly met: boolean;
  readonly because: string;
}

export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const timeout = given.duration('timeout');
  const level = given.value('for') ?? 'ready';
  const begun = io.now();
  let last: Look = { met: false, because: 'nothing was heard of it' };
  const met = await untilInterrupted(io, async (interrupted) => {
    const limit = timeout === undefined ? [] : [AbortSignal.timeout(timeout)];
    const signal = AbortSignal.any([interrupted, ...limit]);
    while (!signal.aborted) {
      try {
        for await (const look of watch(await context.client(), level, given.words, signal)) {
          last = look;
          if (look.met) return true;
        }
      } catch (error) {
        if (!signal.aborted) last = { met: false, because: retryable(error).message };
      }
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
    return false;
  });
  const took = io.now() - begun;
  const what = given.words.length === 0 ? level : `${given.words.join(', ')} ready`;
  if (context.json)
    context.sayJson({ schemaVersion: SCHEMA_VERSION, for: level, met, reason: last.because, took });
  if (met) {
    context.say(`${what} after ${formatDuration(took)}`);
    return CommandExit.ok;
  }
  if (!context.json) context.remark(`timed out after ${formatDuration(took)}: not ${what}; ${last.because}`);
  return CommandExit.timedOut;
}

/** One look at once and one after each event; ends when the supervisor does. */
async function* watch(
  client: Client,
  level: string,
  names: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Look> {
  // Following begins before the first look, so that no change falls between them.
  const events = await client.lines<EventLine>('/v1/events?since=999999999999999&follow=1', { signal });
  yield await lookAt(client, level, names, signal);
  for await (const event of events) {
    if (event.type === 'changed' || event.type === 'booted') yield await lookAt(client, level, names, signal);
  }
}

async function lookAt(
  client: Client,
  level: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Look> {
  if (names.length === 0) {
    const health = await client.get<HealthAnswer>(`/v1/health?level=${level}`, { accept: [503], signal });
    return { met: health.ok, because: health.reason };
  }
  const product = await client.get<ProductStatus>('/v1/status', { signal });
  const behind = pickServices(product, names).find(({ status }) => status !== 'ready' && status !== 'done');
  if (behind === undefined || level === 'live') return { met: true, because: '' };
  const reason = behind.reason === '' ? '' : ` (${behind.reason})`;
  return { met: false, because: `${behind.name} is ${behind.status}${reason}` };
}

/** A supervisor that is not there yet may come; a closed door or a wrong name will not get better. */
function retryable(error: unknown): Error {
  if (error instanceof Failure) {
    if (error.code === 'no-permission' || error.exitCode !== CommandExit.unreachable) throw error;
    return error;
  }
  // The connection broke in the middle: it is stopping or was killed.
  return new Error('the supervisor hung up');
}
