import type { Lookup } from './interpolate.ts';
import type { Place } from './located.ts';
import type { LateName } from './plan-text.ts';
import type { Outside, Problems } from './problems.ts';
import { isSecretName } from './secrets.ts';

export interface VariableSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file; undefined where it is missing, unreadable or a folder. */
  readFile(path: string): string | undefined;
  readonly problems: Problems;
  /** Grows by every secret value that is read. */
  readonly secrets: Set<string>;
}

/** The variables a plan is read with: `NAME`, or for secrets the file that `NAME_FILE` names. */
export class Variables {
  readonly #source: VariableSource;
  readonly #late = new Set<LateName>();
  readonly #defined = new Map<string, string>();
  /** Names somebody asked for: such a BULKHEAD_* is known, whatever it is. */
  readonly asked = new Set<string>();

  constructor(source: VariableSource) {
    this.#source = source;
  }

  /** From now on this name is a hole, filled when a service starts. */
  makeLate(name: LateName): void {
    this.#late.add(name);
  }

  /** What is settled by a flag or a default, so that a file can say `${BULKHEAD_DATA}` and mean it. */
  define(name: string, value: string): void {
    this.#defined.set(name, value);
  }

  lookup(name: string, at: Place | Outside): Lookup {
    this.asked.add(name);
    if (isLateName(name) && this.#late.has(name)) return { kind: 'late', late: name };
    const defined = this.#defined.get(name);
    if (defined !== undefined) return { kind: 'set', value: defined, from: 'environment' };
    return this.#read(name, at);
  }

  /** The value of a variable that is given, undefined otherwise; the empty text counts as not given. */
  value(name: string): string | undefined {
    const found = this.#read(name, { outside: 'environment' });
    this.asked.add(name);
    return found.kind === 'set' && found.value !== '' ? found.value : undefined;
  }

  #read(name: string, at: Place | Outside): Lookup {
    const { env, problems, secrets } = this.#source;
    const value = env[name];
    const file = isSecretName(name) ? env[`${name}_FILE`] : undefined;
    if (file === undefined || file === '') {
      if (value === undefined) return { kind: 'unset' };
      if (isSecretName(name) && value !== '') secrets.add(value);
      return { kind: 'set', value, from: 'environment' };
    }
    if (value !== undefined && value !== '') {
      problems.error(at, 'secret-given-twice', `both ${name} and ${name}_FILE are set`, {
        suggestion: 'unset one of them',
      });
      return { kind: 'broken' };
    }
    return this.#readSecretFile(name, file, at);
  }

  #readSecretFile(name: string, file: string, at: Place | Outside): Lookup {
    const { readFile, problems, secrets } = this.#source;
    const text = readFile(file);
    if (text === undefined) {
      problems.error(
        at,
        'secret-file',
        `cannot read ${file}, which ${name}_FILE names: missing or closed to us`,
        {
          suggestion: `mount the file there, or set ${name}`,
        },
      );
      return { kind: 'broken' };
    }
    const value = text.replace(/\r?\n$/, '');
    if (value === '') {
      problems.error(at, 'secret-file', `${file}, which ${name}_FILE names, is empty`);
      return { kind: 'broken' };
    }
    secrets.add(value);
    return { kind: 'set', value, from: 'file' };
  }
}

const LATE_NAMES: readonly LateName[] = [
  'DATABASE_URL',
  'NEXTAUTH_SECRET',
  'BULKHEAD_INSTANCE',
  'BULKHEAD_INSTANCE_PORT',
];

function isLateName(name: string): name is LateName {
  return LATE_NAMES.some((late) => late === name);
}
