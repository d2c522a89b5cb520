/** Compose's second spellings: `- NAME=value` for a map, a single word for a list of one. */
import type { Entry, ListValue, MapValue, ScalarValue, Value } from './tree.ts';

/** `environment` as a map: `- A=b` is `A: b`; a bare `- A` has an empty value. Items that are no text are left out. */
export function environmentMap(list: ListValue): MapValue {
  const entries = new Map<string, Entry>();
  for (const item of list.items) {
    if (item.kind !== 'scalar') continue;
    const [first, rest] = splitAtEquals(item);
    if (first === undefined) continue;
    entries.set(first, { keyPlace: item.place, value: rest });
  }
  return { kind: 'map', entries, place: list.place, tag: list.tag };
}

/** `depends_on` as a map: `- db` is `db: { condition: service_started }`. */
export function dependencyMap(list: ListValue): MapValue {
  const entries = new Map<string, Entry>();
  for (const item of list.items) {
    if (item.kind !== 'scalar' || typeof item.text !== 'string') continue;
    const value: MapValue = { kind: 'map', entries: new Map(), place: item.place, tag: undefined };
    entries.set(item.text, { keyPlace: item.place, value });
  }
  return { kind: 'map', entries, place: list.place, tag: list.tag };
}

/** Anything as a list: one word is a list of one. */
export function asList(value: Value): ListValue {
  return value.kind === 'list' ? value : { kind: 'list', items: [value], place: value.place, tag: value.tag };
}

function splitAtEquals(item: ScalarValue): [string | undefined, ScalarValue] {
  const parts = typeof item.text === 'string' ? [item.text] : item.text.parts;
  const [head, ...tail] = parts;
  if (typeof head !== 'string') return [undefined, item];
  const equals = head.indexOf('=');
  if (equals < 0) return [tail.length === 0 ? head : undefined, { ...item, text: '', empty: true }];
  const rest = head.slice(equals + 1);
  const text = tail.length === 0 ? rest : { parts: rest === '' ? tail : [rest, ...tail] };
  return [head.slice(0, equals), { ...item, text, empty: false }];
}
