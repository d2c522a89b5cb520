import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { Context } from './command.ts';

/** The text of the key: who asks may read it, the database's user perhaps not. It never stands in argv. */
export function readIdentity({ given, io }: Context): { readonly identity?: string } {
  const named = given.value('identity');
  const path = named ?? (io.env.BACKUP_IDENTITY_FILE || undefined);
  if (path === undefined) return {};
  try {
    return { identity: readFileSync(resolve(io.cwd, path), 'utf8') };
  } catch (error) {
    // A variable that stands there for the day it is needed: the key is asked for where one is.
    if (named === undefined && codeOf(error) === 'ENOENT') return {};
    throw new Failure(`cannot read the identity ${path}: ${messageOf(error)}`, {
      remedy: 'name the file of age-keygen: --identity FILE, or the variable BACKUP_IDENTITY_FILE',
      exitCode: CommandExit.usage,
    });
  }
}
