/**
 * Tables of words. One table is the validator, the JSON Schema, the did-you-mean and the documentation of its map;
 * words of other tools stand in it with what they are called here, or why they are refused.
 */
import { nearestWords, suggestWord } from '../base/suggest.ts';
import type { Place } from './located.ts';
import { type JsonSchema, type Reading, type Shape, wrong } from './shape.ts';
import type { MapValue, Value } from './tree.ts';

interface Word<T> {
  readonly shape: Shape<T>;
  /** One or two sentences; the hover text of editors. */
  readonly doc: string;
  readonly examples?: readonly unknown[];
  /** What counts where the word is missing, as one would write it. */
  readonly default?: unknown;
}

export interface Foreign {
  /** Known, but not ours: the sentence says why or what to do instead. */
  readonly refused?: Readonly<Record<string, string>>;
  /** Harmless and without effect here: accepted with a warning. */
  readonly idle?: Readonly<Record<string, string>>;
  /** Other tools' names for words of ours. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Words that belong one map deeper: `interval` → `healthcheck`. */
  readonly deeper?: Readonly<Record<string, string>>;
  /** Words without which the map means nothing. */
  readonly required?: readonly string[];
}

type Table = Readonly<Record<string, Word<unknown>>>;

/** What a map of words reads to; `at` is the map itself, for places of problems found later. */
export type Stanza<W extends Table> = {
  readonly [K in keyof W]?: W[K] extends Word<infer T> ? T : never;
} & { readonly at: Value };

/** A map with exactly the words of the table; `x-` words are anybody's. */
export function stanza<W extends Table>(words: W, foreign: Foreign = {}): Shape<Stanza<W>> {
  return {
    read(value, path, reading) {
      if (value.kind === 'scalar' && value.empty)
        return requireWords({ at: value }, value, path, foreign, reading);
      if (value.kind !== 'map') return wrong(value, path || 'the plan', 'a map of words', reading);
      const read: Record<string, unknown> & { at: Value } = { at: value };
      for (const [name, entry] of value.entries) {
        const word = Object.hasOwn(words, name) ? words[name] : undefined;
        if (!word) refuseWord(name, entry.keyPlace, path, words, foreign, reading);
        else {
          const one = word.shape.read(entry.value, path === '' ? name : `${path}.${name}`, reading);
          if (one !== undefined) read[name] = one;
        }
      }
      return requireWords(read, value, path, foreign, reading);
    },
    schema: schemaOf(words, foreign),
  };
}

function requireWords<T>(
  read: { at: Value },
  value: Value,
  path: string,
  foreign: Foreign,
  reading: Reading,
): T {
  const entries = value.kind === 'map' ? value.entries : undefined;
  for (const name of foreign.required ?? []) {
    if (!entries?.has(name) && !seemsMisspelt(name, entries?.keys() ?? [], foreign)) {
      reading.problems.error(
        value.place,
        'missing-word',
        `${path === '' ? 'the plan' : path} needs "${name}"`,
        {
          suggestion: name === 'version' ? 'add version: 1' : `add ${name}: …`,
        },
      );
    }
  }
  // The loop above filled it word by word from the very table that makes the type.
  return read as T;
}

/** The word stands there under another name, which is told by itself. */
export function seemsMisspelt(name: string, keys: Iterable<string>, { aliases }: Foreign): boolean {
  return [...keys].some(
    (key) => ownText(aliases, key) === `\`${name}\`` || suggestWord(key, [name]) !== undefined,
  );
}

function refuseWord(
  name: string,
  place: Place,
  path: string,
  words: Table,
  foreign: Foreign,
  reading: Reading,
): void {
  const { problems } = reading;
  const where = path === '' ? '' : ` in ${path}`;
  if (name.startsWith('x-')) return;
  const idle = ownText(foreign.idle, name);
  if (idle !== undefined) {
    problems.warn(place, 'idle-word', `"${name}"${where} has no effect here: ${idle}`);
    return;
  }
  const refused = ownText(foreign.refused, name);
  if (refused !== undefined) {
    problems.error(place, 'refused-word', `"${name}"${where} is not possible here: ${refused}`);
    return;
  }
  const alias = ownText(foreign.aliases, name) ?? ownText(foreign.aliases, name.toLowerCase());
  const deeper = ownText(foreign.deeper, name);
  const meant = suggestWord(name, Object.keys(words));
  const suggestion =
    alias !== undefined
      ? `in bulkhead this is ${alias}`
      : deeper !== undefined
        ? `it belongs one level deeper, under ${deeper}:`
        : meant === undefined
          ? undefined
          : `did you mean "${meant}"?`;
  problems.error(place, 'unknown-key', `unknown key "${name}"${where}`, {
    suggestion,
    note:
      alias === undefined && deeper === undefined
        ? `allowed here: ${shortList(name, Object.keys(words))}`
        : undefined,
  });
}

function shortList(name: string, words: readonly string[]): string {
  return words.length <= 8
    ? words.join(', ')
    : `${nearestWords(name, words, 6).join(', ')} … (${words.length} words)`;
}

function ownText(table: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return table && Object.hasOwn(table, name) ? table[name] : undefined;
}

function schemaOf(words: Table, foreign: Foreign): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const [name, { shape, doc, examples, default: given }] of Object.entries(words)) {
    properties[name] = {
      ...shape.schema,
      description: doc,
      ...(given === undefined ? {} : { default: given }),
      ...(examples === undefined ? {} : { examples }),
    };
  }
  for (const [name, reason] of Object.entries(foreign.idle ?? {})) {
    properties[name] = { description: `No effect: ${reason}.` };
  }
  return {
    type: foreign.required ? 'object' : ['object', 'null'],
    properties,
    patternProperties: { '^x-': {} },
    additionalProperties: false,
    ...(foreign.required ? { required: foreign.required } : {}),
  };
}

/** The places of a stanza's words: of `name` itself, or of the whole map where it is not written. */
export function placeOfWord(at: Value, name: string): Place {
  return (at.kind === 'map' ? (at as MapValue).entries.get(name)?.keyPlace : undefined) ?? at.place;
}
