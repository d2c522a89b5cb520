/** Gives the superuser a password where the system cannot vouch for it any more: a uid that lost its passwd entry. */

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { runTool } from '../system/commands.ts';
import type { Identity } from '../system/users.ts';
import type { PostgresBinaries } from './binaries.ts';
import { SUPERUSER } from './layout.ts';
import { nameOurselves } from './nss-wrapper.ts';
import { scramVerifier } from './scram.ts';
import { SUPERUSER_PASSWORD, writeSecret } from './secrets.ts';
import { quoteIdentifier, quoteLiteral } from './sql-text.ts';

export interface PasswordOptions {
  readonly cluster: string;
  readonly secrets: string;
  readonly binaries: PostgresBinaries;
  readonly user: Identity;
  /** A private folder, for files that live as long as the tool. */
  readonly folder: string;
}

/** By the server in single-user mode, before it is started for others; does nothing where the secret is there. */
export async function ensureSuperuserPassword(options: PasswordOptions): Promise<void> {
  const { cluster, secrets, binaries, user, folder } = options;
  if (existsSync(join(secrets, SUPERUSER_PASSWORD))) return;
  const password = randomBytes(32).toString('base64url');
  const sql = `ALTER ROLE ${quoteIdentifier(SUPERUSER)} PASSWORD ${quoteLiteral(scramVerifier(password))}\n`;
  const result = await runTool([join(binaries.bin, 'postgres'), '--single', '-D', cluster, 'postgres'], {
    env: { PATH: process.env.PATH, ...binaries.env, ...nameOurselves(user, folder) },
    identity: user,
    input: sql,
  });
  if (result.failed || /ERROR|FATAL/.test(result.stderr)) {
    throw new Failure(
      `cannot give the superuser a password: ${result.stderr.trim().split('\n').at(-1) ?? result.message}`,
      {
        remedy: `start with the user the volume was made with, or give uid ${user.uid} an entry in /etc/passwd`,
      },
    );
  }
  // After the role has it: a kill in between only makes a new one at the next start.
  writeSecret(secrets, SUPERUSER_PASSWORD, password);
}
