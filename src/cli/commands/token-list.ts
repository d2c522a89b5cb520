import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { TokensAnswer } from '../../protocol/tokens.ts';
import type { Context } from '../command.ts';
import { renderTokens } from '../token-text.ts';

export async function run(context: Context): Promise<number> {
  const client = await context.client();
  const { tokens } = await client.get<TokensAnswer>('/v1/tokens');
  const { now, out } = context.io;
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, tokens });
  else context.say(renderTokens(tokens, now(), out.columns, context.paint).join('\n'));
  return CommandExit.ok;
}
