/** The secrets PID 1 knows of, so that no log shows them. */
import { readdirSync, statSync } from 'node:fs';
import type { Plan } from '../config/plan.ts';
import { isSecretName } from '../config/secrets.ts';

/** A larger file holds no secret anybody would print. */
const LARGEST = 64 * 1024;
const IS_URL = /^[a-z][a-z0-9+.-]*:\/\//i;

/**
 * What a value keeps secret: of a URL its password, and of one of the web without a password all of it (a hook, a DSN);
 * a database's address alone is none.
 */
export function secretParts(value: string): readonly string[] {
  const url = IS_URL.test(value) ? URL.parse(value) : undefined;
  if (!url) return [value];
  if (url.password !== '') return [url.password, decoded(url.password)];
  return /^https?:$/.test(url.protocol) ? [value] : [];
}

/**
 * The secrets of an environment, by their names; `X_FILE` where X is one names a file that holds it.
 * @param readFile as `readTextIfExists`; what it throws is passed over
 */
export function secretsOfEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string | undefined,
): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (!value) return [];
    if (isSecretName(name)) return [value];
    const named = name.replace(/_FILE$/i, '');
    if (named === name || !isSecretName(named)) return [];
    const held = readOrNothing(value, readFile);
    return held === undefined ? [] : [held.replace(/\r?\n$/, '')];
  });
}

/** Looks at the files of a folder again and again, and reads those that have changed. */
export class SecretFolder {
  readonly #path: string;
  readonly #readFile: (path: string) => string | undefined;
  readonly #seen = new Map<string, number>();

  constructor(path: string, readFile: (path: string) => string | undefined) {
    this.#path = path;
    this.#readFile = readFile;
  }

  /** What is in the files that are new since the last look. */
  look(): string[] {
    return listFiles(this.#path).flatMap((path) => {
      const stats = statSync(path, { throwIfNoEntry: false });
      if (!stats?.isFile() || stats.size > LARGEST || this.#seen.get(path) === stats.mtimeMs) return [];
      this.#seen.set(path, stats.mtimeMs);
      const text = readOrNothing(path, this.#readFile)?.trim();
      return text ? [text] : [];
    });
  }
}

/** Names of a plan that nobody keeps secret: as a password, one of them would star out half of every log. */
export function publicNames({ name, database, runs }: Plan): ReadonlySet<string> {
  const ofDatabase = database ? [database.name, database.user, database.systemUser] : [];
  return new Set([name, 'postgres', 'postgresql', ...ofDatabase, ...runs.map((run) => run.name)]);
}

function listFiles(path: string): readonly string[] {
  try {
    return readdirSync(path).map((file) => `${path}/${file}`);
  } catch {
    return [];
  }
}

function readOrNothing(path: string, readFile: (path: string) => string | undefined): string | undefined {
  try {
    return readFile(path);
  } catch {
    return undefined;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
