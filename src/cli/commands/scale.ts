import type { ScaleAnswer, ScaleChange, ScaleRequest } from '../../protocol/control.ts';
import { usageFailure } from '../arguments.ts';
import { sayChange } from '../change-services.ts';
import { describeChange, describeDone } from '../change-text.ts';
import type { Context } from '../command.ts';

export async function run(context: Context): Promise<number> {
  const { given, io } = context;
  const sizes = readSizes(given.words);
  const timeout = given.duration('timeout');
  const request: ScaleRequest = {
    sizes,
    wait: !given.has('no-wait'),
    ...(timeout === undefined ? {} : { timeout }),
  };
  const client = await context.client();
  const answer = await client.post<ScaleAnswer>('/v1/scale', request);
  if (context.json) context.sayJson(answer);
  for (const change of answer.changes) sayChange(context, change, describe(change, io.now()));
  if (answer.changes.length === 0) {
    const counts = Object.entries(sizes).map(([name, count]) => `${name} has ${count} already`);
    context.say(`${counts.join(', ')}: nothing to do.`);
  }
  return answer.exitCode;
}

/** A replica that went is forgotten: there is nothing to do with it any more. */
function describe(change: ScaleChange, now: number): string {
  const { action, outcome } = change;
  if (action !== 'stop') return describeChange(action, change, now);
  return outcome === 'changed' ? describeDone(action, change, now) : describeChange(action, change, now);
}

function readSizes(words: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    words.map((word): [string, number] => {
      const match = /^([^=]+)=(\d{1,4})$/.exec(word);
      const count = Number(match?.[2]);
      if (match?.[1] !== undefined && count <= 1000) return [match[1], count];
      throw usageFailure(`cannot run scale: "${word}" is no SERVICE=COUNT`, 'write it like web=3');
    }),
  );
}
