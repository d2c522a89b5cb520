import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { Context } from '../command.ts';

export async function run(context: Context): Promise<number> {
  const [name = ''] = context.given.words;
  const client = await context.client();
  await client.post('/v1/tokens/revoke', { name });
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, revoked: name });
  else context.say(`${name} opens nothing any more`);
  return CommandExit.ok;
}
