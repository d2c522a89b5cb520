/**
 * `extends`: what the extending file says is laid over what the base says, by the override rules of the Compose
 * Specification ("Merge and override"): maps by key, lists one after the other, single values replaced;
 * `command`, `entrypoint` and `healthcheck.test` replaced whole; `!reset` forgets, `!override` replaces.
 */
import { asList, dependencyMap, environmentMap } from './list-forms.ts';
import type { Entry, MapValue, Value } from './tree.ts';

const REPLACED_WHOLE = new Set(['command', 'entrypoint', 'test', 'stop']);
/** One item alone is a list too. */
const AS_LISTS = new Set(['env_file', 'profiles', 'success_exit_codes', 'fatal_exit_codes']);
/** A check asks one question: another one replaces it, with its interval and patience left as they were. */
const PROBES = ['test', 'http', 'tcp', 'postgres'];

export function mergeFiles(base: Value, over: Value): Value {
  return mergeValues(base, over, []);
}

function mergeValues(base: Value, over: Value, path: readonly string[]): Value {
  const key = wordOf(path);
  if (over.tag === 'override' || REPLACED_WHOLE.has(key)) return over;
  const a = normalise(base, key);
  const b = normalise(over, key);
  if (b.kind === 'scalar' && b.empty) return a.kind === 'scalar' ? b : a;
  if (a.kind === 'scalar' && a.empty) return b;
  if (a.kind === 'map' && b.kind === 'map') return mergeMaps(a, b, path);
  if (a.kind === 'list' && b.kind === 'list') return { ...b, items: [...a.items, ...b.items] };
  // Two forms that do not fit: the later one counts, and the words themselves say what is wrong with it.
  return b;
}

function mergeMaps(base: MapValue, over: MapValue, path: readonly string[]): MapValue {
  const key = wordOf(path);
  const entries = new Map<string, Entry>(base.entries);
  if (key === 'healthcheck' && PROBES.some((probe) => over.entries.has(probe))) {
    for (const probe of PROBES) entries.delete(probe);
  }
  for (const [name, entry] of over.entries) {
    const known = entries.get(name);
    if (entry.value.tag === 'reset') entries.delete(name);
    else if (known) {
      entries.set(name, {
        keyPlace: entry.keyPlace,
        value: mergeValues(known.value, entry.value, [...path, name]),
      });
    } else entries.set(name, entry);
  }
  return { ...over, entries };
}

/** The word of a stanza that a path leads to; empty elsewhere, so that a service may be called `command`. */
function wordOf(path: readonly string[]): string {
  const [top, name, word, deeper] = path;
  const inStanza = top === 'services' || (top === 'database' && name === 'migrate');
  if (!inStanza || word === undefined) return '';
  if (path.length === 3) return word;
  return path.length === 4 && word === 'healthcheck' && deeper === 'test' ? deeper : '';
}

function normalise(value: Value, key: string): Value {
  if (AS_LISTS.has(key)) return asList(value);
  if (value.kind !== 'list') return value;
  if (key === 'environment') return environmentMap(value);
  if (key === 'depends_on') return dependencyMap(value);
  return value;
}
