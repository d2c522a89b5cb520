/** Secrets made once and kept on the volume, before anything exists that needs them. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../base/errors.ts';
import { writeFileAtomic } from '../system/write-file-atomic.ts';

export const APP_PASSWORD = 'app_password';
export const NEXTAUTH_SECRET = 'nextauth_secret';
/** Only where the database's user has no passwd entry, so that peer authentication cannot be. */
export const SUPERUSER_PASSWORD = 'superuser_password';

/** 32 random bytes as base64url, mode 0600; a file that is there is never touched. */
export function ensureSecret(folder: string, name: string): void {
  if (!existsSync(join(folder, name))) writeSecret(folder, name, randomBytes(32).toString('base64url'));
}

export function writeSecret(folder: string, name: string, value: string): void {
  writeFileAtomic(
    join(folder, name),
    `${value}
`,
    { mode: 0o600 },
  );
}

/** Without its newline; undefined where there is none. */
export function readSecret(folder: string, name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
