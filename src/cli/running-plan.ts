/** What the supervisor that runs was told, which may be otherwise than we were. */
import { Failure } from '../base/errors.ts';
import type { Context } from './command.ts';
import { findDataDir } from './place.ts';

/** Its plan by path, secrets masked; empty where none runs. */
export async function askRunningPlan(context: Context): Promise<ReadonlyMap<string, string>> {
  try {
    const client = await context.client();
    const { plan } = await client.get<{ readonly plan: unknown }>('/v1/plan');
    return new Map((Array.isArray(plan) ? plan : []).map(({ path, value }) => [path, value]));
  } catch (error) {
    if (error instanceof Failure) return new Map();
    throw error;
  }
}

/** The volume that is meant: of the supervisor that runs, else the one named, else /data. */
export async function findVolume(context: Context): Promise<string> {
  const { env, cwd } = context.io;
  const data = (await askRunningPlan(context)).get('data');
  return data ?? findDataDir({ env, cwd, data: context.given.value('data') });
}
