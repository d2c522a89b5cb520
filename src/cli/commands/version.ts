import { VERSION } from '../../base/version.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../../protocol/schema-version.ts';
import type { Context } from '../command.ts';

export async function run(context: Context): Promise<number> {
  const node = process.version.slice(1);
  if (context.json) context.sayJson({ schemaVersion: SCHEMA_VERSION, version: VERSION, node });
  context.say(`bulkhead ${VERSION} (node ${node})`);
  return CommandExit.ok;
}
