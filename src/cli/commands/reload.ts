import type { ReloadAnswer, ReloadRequest } from '../../protocol/control.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { Context } from '../command.ts';

export async function run(context: Context): Promise<number> {
  const client = await context.client();
  const request: ReloadRequest = { dryRun: context.given.has('dry-run') };
  const answer = await client.post<ReloadAnswer>('/v1/reload', request);
  if (context.json) context.sayJson(answer);
  context.say(renderReload(answer));
  return CommandExit.ok;
}

function renderReload({ dryRun, changes }: ReloadAnswer): string {
  if (changes.length === 0) return 'nothing differs: nothing to do.';
  const lines = changes.map(
    ({ service, action, reason }) => `  ${action} ${service}${reason === '' ? '' : ` (${reason})`}`,
  );
  const next = dryRun ? 'Do it: bulkhead reload' : 'See how it goes: bulkhead status';
  return [`${dryRun ? 'would change' : 'changing'}:`, ...lines, next].join('\n');
}
