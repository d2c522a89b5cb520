/** The single values of a plan: numbers, switches, durations, names. */
import { constants } from 'node:os';
import { parseDuration } from '../base/duration.ts';
import { parseSize } from '../base/size.ts';
import { suggestWord } from '../base/suggest.ts';
import type { Signal } from './plan-runs.ts';
import { parsed, type Shape, VARIABLE } from './shape.ts';

export const flag: Shape<boolean> = parsed(
  'true or false',
  (text) => (/^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined),
  { anyOf: [{ type: 'boolean' }, VARIABLE] },
  (_, text) =>
    /^(y|yes|on|1)$/i.test(text)
      ? 'YAML reads it as a word; write true'
      : /^(n|no|off|0)$/i.test(text)
        ? 'YAML reads it as a word; write false'
        : undefined,
);

export function integer(minimum: number, maximum: number): Shape<number> {
  return parsed(
    `a whole number from ${minimum} to ${maximum}`,
    (text) => {
      const number = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return number >= minimum && number <= maximum ? number : undefined;
    },
    {
      anyOf: [
        { type: 'integer', minimum, maximum },
        { type: 'string', pattern: '^-?\\d+$|\\$' },
      ],
    },
  );
}

/** Milliseconds. A bare number is refused: nobody knows its unit. */
export const duration: Shape<number> = parsed(
  'a duration such as 30s, 1m30s or 500ms',
  parseDuration,
  {
    anyOf: [{ type: 'string', pattern: '^\\s*(0|(\\d+(\\.\\d+)?(us|ms|s|m|h|d))+)\\s*$|\\$' }, { const: 0 }],
  },
  (_, text) => {
    if (/^\d+(\.\d+)?$/.test(text)) return `write ${text}s for seconds or ${text}ms for milliseconds`;
    const spaced = text
      .replaceAll(/\s+/g, '')
      .replaceAll(/(sec|seconds?)$/g, 's')
      .replaceAll(/(min|minutes?)$/g, 'm');
    return parseDuration(spaced) === undefined ? undefined : `write ${spaced}`;
  },
);

/** A duration that many a variable gives as a plain number: seconds then. */
export const period: Shape<number> = parsed(
  'a duration such as 5m, or a number of seconds',
  (text) => parseDuration(/^\s*\d+\s*$/.test(text) ? `${text.trim()}s` : text),
  { anyOf: [duration.schema, { type: 'integer', minimum: 0 }] },
);

/** Bytes. A bare number counts bytes, as in Compose. */
export const size: Shape<number> = parsed(
  'a size such as 512m or 1gb',
  (text) => parseSize(/^\d+$/.test(text) ? `${text}b` : text),
  {
    anyOf: [
      { type: 'string', pattern: '^\\s*\\d+(\\.\\d+)?\\s*([bkmgBKMG]|[kmgKMG][bB])?\\s*$|\\$' },
      { type: 'integer', minimum: 0 },
    ],
  },
);

export function oneOf<T extends string>(...words: readonly T[]): Shape<T> {
  const list = words.length === 1 ? words[0] : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  return parsed(
    String(list),
    (text) => words.find((word) => word === text),
    { anyOf: [{ enum: words }, VARIABLE] },
    (_, text) => {
      const meant = suggestWord(text, words);
      return meant === undefined ? undefined : `did you mean "${meant}"?`;
    },
  );
}

const SIGNALS = Object.keys(constants.signals).filter(
  (name) => !/^SIG(RT|UNUSED|POLL|IOT|STKFLT)/.test(name),
);

/** `SIGINT`, `INT` or `int`, as Docker takes them. */
export const signal: Shape<Signal> = parsed(
  'a signal such as SIGTERM',
  (text) => {
    const upper = text.toUpperCase();
    const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
    return isSignal(name) ? name : undefined;
  },
  { anyOf: [{ enum: SIGNALS.flatMap((name) => [name, name.slice(3)]) }, VARIABLE] },
  (_, text) => {
    const meant = suggestWord(text, SIGNALS);
    return meant === undefined ? undefined : `did you mean ${meant}?`;
  },
);

function isSignal(name: string): name is Signal {
  return SIGNALS.includes(name);
}

export const absolutePath: Shape<string> = parsed(
  'an absolute path',
  (text) => (text.startsWith('/') ? text : undefined),
  { type: 'string', pattern: '^/|\\$' },
  (_, text) => `write the whole path, e.g. /${text.replace(/^\.?\//, '')}`,
);

/** Resolved by whoever knows the file it stands in. */
export const path: Shape<string> = parsed('a path', (text) => text, { type: 'string' });

/** `name`, `uid`, `name:group` or `uid:gid`. */
export const systemUser: Shape<string> = parsed(
  'a user name or uid, with an optional :group',
  (text) =>
    /^([a-z_][a-z0-9_.-]*|\d{1,10})(:([a-z_][a-z0-9_.-]*|\d{1,10}))?$/i.test(text) ? text : undefined,
  {
    anyOf: [
      { type: 'string', pattern: '^([A-Za-z_][\\w.-]*|\\d{1,10})(:([A-Za-z_][\\w.-]*|\\d{1,10}))?$|\\$|^$' },
      { type: 'integer', minimum: 0 },
    ],
  },
);

/** What PostgreSQL keeps whole (63 bytes) and what needs no quotes in a shell, a URL and a log. */
export const databaseName: Shape<string> = parsed(
  'letters, digits, _ and -, not starting with a digit, at most 63',
  (text) => (isDatabaseName(text) ? text : undefined),
  { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,62}$|\\$' },
);

export function isDatabaseName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/.test(name);
}

export const regularExpression: Shape<RegExp> = parsed(
  'a regular expression',
  (text) => {
    try {
      return new RegExp(text, 'u');
    } catch {
      return undefined;
    }
  },
  { type: 'string', minLength: 1 },
  () => 'as in JavaScript: escape ( ) [ ] { } . * + ? with \\',
);

/** Addresses a server may listen on, by comma. */
export const addresses: Shape<readonly string[]> = parsed(
  'IP addresses with commas between, or *',
  (text) => {
    const list = text.split(',').map((address) => address.trim());
    return list.every((address) => address === '*' || /^[\d.]{7,15}$|^[\da-f:.]*:[\da-f:.]*$/i.test(address))
      ? list
      : undefined;
  },
  { type: 'string' },
);
