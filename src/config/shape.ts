/** A shape reads a value of the tree into a real type, and knows how to say so in JSON Schema. One source for both. */
import type { Place } from './located.ts';
import type { Text } from './plan-text.ts';
import type { Problems } from './problems.ts';
import { describeKind, isSecret, type ScalarValue, type Value } from './tree.ts';
import type { Variables } from './variables.ts';

export type JsonSchema = { readonly [key: string]: unknown };

/** What is known while reading: where problems go, and what a bare NAME passes through. */
export interface Reading {
  readonly problems: Problems;
  readonly variables: Variables;
}

export interface Shape<T> {
  /** undefined: nothing is given, or what is given was reported. `path` is for people: `services.app.restart`. */
  read(value: Value, path: string, reading: Reading): T | undefined;
  readonly schema: JsonSchema;
}

/** Values hold variables; the schema lets them through and the reader checks what they became. */
export const VARIABLE: JsonSchema = { type: 'string', pattern: '\\$' };

export function wrong(
  value: Value,
  path: string,
  wanted: string,
  reading: Reading,
  suggestion?: string,
): undefined {
  return reading.problems.error(
    value.place,
    'wrong-value',
    `${path} must be ${wanted}, not ${describeKind(value)}`,
    // A suggestion spells the value out.
    value.kind === 'scalar' && isSecret(value)
      ? {}
      : { suggestion, note: value.kind === 'scalar' ? tellVariables(value, reading) : undefined },
  );
}

/** What was written is right, then, and a variable is not: `it holds PORT=abc from the environment`. */
function tellVariables({ uses }: ScalarValue, { variables }: Reading): string | undefined {
  const names = new Set(uses.filter(({ from }) => from === 'environment').map(({ name }) => name));
  const given = [...names].map((name) => `${name}=${variables.value(name) ?? ''}`);
  return given.length === 0 ? undefined : `it holds ${given.join(' and ')} from the environment`;
}

/** The text of a scalar that must be known now; undefined where nothing is given. */
export function knownText(value: Value, path: string, wanted: string, reading: Reading): string | undefined {
  if (value.kind !== 'scalar') return wrong(value, path, wanted, reading);
  if (typeof value.text !== 'string') {
    const names = value.text.parts.flatMap((part) => (typeof part === 'string' ? [] : [part.late]));
    return reading.problems.error(
      value.place,
      'late-value',
      `${path} cannot hold ${names.join(', ')}: it is known only when a service starts`,
      { note: 'late values may stand in command, environment and healthcheck' },
    );
  }
  return value.text === '' ? undefined : value.text;
}

export const text: Shape<string> = {
  read: (value, path, reading) => knownText(value, path, 'a text', reading),
  schema: { type: ['string', 'number'] },
};

/** A text that may have holes; the empty text is one too. */
export const lateText: Shape<Text> = {
  read: (value, path, reading) =>
    value.kind === 'scalar' ? value.text : wrong(value, path, 'a text', reading),
  schema: { type: ['string', 'number', 'boolean'] },
};

/** A text that a check accepts: `wanted` completes "must be …". */
export function parsed<T>(
  wanted: string,
  parse: (text: string) => T | undefined,
  schema: JsonSchema,
  suggest: (value: ScalarValue, text: string) => string | undefined = () => undefined,
): Shape<T> {
  return {
    read(value, path, reading) {
      const known = knownText(value, path, wanted, reading);
      if (known === undefined || value.kind !== 'scalar') return undefined;
      return parse(known) ?? wrong(value, path, wanted, reading, suggest(value, known));
    },
    schema,
  };
}

/** Same reading, narrower schema or more words: what a wrapped shape accepts stays the same. */
export function listOf<T>(item: Shape<T>, wanted = 'a list'): Shape<readonly T[]> {
  return {
    read(value, path, reading) {
      if (value.kind === 'scalar' && value.text === '') return undefined;
      if (value.kind !== 'list') return wrong(value, path, wanted, reading, 'put it in [brackets]');
      return value.items.flatMap((one, index) => item.read(one, `${path}[${index}]`, reading) ?? []);
    },
    schema: { type: 'array', items: item.schema },
  };
}

export interface MapOptions {
  /** Checks a key; the text completes "a name …". */
  readonly key?: { readonly pattern: RegExp; readonly wanted: string };
  /** What to ask for where something else stands. Default: a map. */
  readonly wanted?: string;
}

/** A map whose keys people choose. Entries that were reported are left out. */
export function mapOf<T>(item: Shape<T>, options: MapOptions = {}): Shape<ReadonlyMap<string, T>> {
  const { key } = options;
  return {
    read(value, path, reading) {
      const read = new Map<string, T>();
      if (value.kind === 'scalar' && value.text === '') return read;
      if (value.kind !== 'map') return wrong(value, path, options.wanted ?? 'a map', reading);
      for (const [name, entry] of value.entries) {
        if (name.startsWith('x-')) continue;
        if (key && !key.pattern.test(name)) {
          badName(entry.keyPlace, name, key.wanted, reading);
          continue;
        }
        const one = item.read(entry.value, `${path}.${name}`, reading);
        if (one !== undefined) read.set(name, one);
      }
      return read;
    },
    schema: key
      ? {
          type: ['object', 'null'],
          patternProperties: { '^x-': {}, [key.pattern.source]: item.schema },
          additionalProperties: false,
        }
      : { type: ['object', 'null'], additionalProperties: item.schema },
  };
}

function badName(place: Place, name: string, wanted: string, reading: Reading): void {
  reading.problems.error(place, 'bad-name', `"${name}" is no name here: ${wanted}`);
}

/** The first spelling whose kind fits: scalar, list or map. */
export function byKind<S = never, L = never, M = never>(
  wanted: string,
  shapes: { scalar?: Shape<S>; list?: Shape<L>; map?: Shape<M> },
): Shape<S | L | M> {
  return {
    read(value, path, reading) {
      const shape = shapes[value.kind];
      if (shape) return shape.read(value, path, reading);
      if (value.kind === 'scalar' && value.text === '') return undefined;
      return wrong(value, path, wanted, reading);
    },
    schema: { anyOf: Object.values(shapes).map(({ schema }) => schema) },
  };
}
