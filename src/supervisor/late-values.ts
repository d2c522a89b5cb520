/** Values the plan names but nobody knows before first boot: generated into /data/secrets, read at every start. */
import { Failure } from '../base/errors.ts';
import type { DatabasePlan } from '../config/plan.ts';
import type { LateName, Text } from '../config/plan-text.ts';

export interface LateValueSource {
  readonly database: DatabasePlan | undefined;
  /** The content of a file under /data/secrets without its newline; undefined where there is none. */
  readSecret(name: string): string | undefined;
  /** The same, made where there is none. Throws where it cannot be kept. */
  ensureSecret(name: string): string;
}

/** The application's password: told by DATABASE_URL, or the one generated on first boot. */
export function appPassword(source: LateValueSource): string | undefined {
  const { database } = source;
  return database?.password ?? (database?.external ? undefined : source.readSecret('app_password'));
}

/** Fills the holes of a text. Throws a Failure where a value does not exist yet. */
export function fillText(text: Text, source: LateValueSource): string {
  if (typeof text === 'string') return text;
  return text.parts.map((part) => (typeof part === 'string' ? part : lateValue(part.late, source))).join('');
}

function lateValue(name: LateName, source: LateValueSource): string {
  // A plan without a database has nobody else who makes it.
  if (name === 'NEXTAUTH_SECRET') return source.ensureSecret('nextauth_secret');
  const value = name === 'DATABASE_URL' ? databaseUrl(source) : undefined;
  if (value !== undefined) return value;
  throw new Failure(`cannot resolve \${${name}}: it is made on first boot, and that has not happened yet`, {
    remedy: 'let this service depend on the database',
  });
}

function databaseUrl(source: LateValueSource): string | undefined {
  const { database } = source;
  if (database?.external) return database.external.url;
  const password = appPassword(source);
  if (database === undefined || password === undefined) return undefined;
  const encode = encodeURIComponent;
  const query = database.urlQuery === undefined ? '' : `?${database.urlQuery}`;
  return `postgresql://${encode(database.user)}:${encode(password)}@127.0.0.1:${database.port}/${encode(database.name)}${query}`;
}
