/** The configuration as written: maps, lists and scalars that know their place. YAML ends at this door. */
import type { Place } from './located.ts';
import type { Text } from './plan-text.ts';
import { isSecretName } from './secrets.ts';

export type Value = ScalarValue | MapValue | ListValue;

export interface ScalarValue {
  readonly kind: 'scalar';
  /** As written, escapes resolved and variables filled in; numbers and booleans keep their spelling. */
  readonly text: Text;
  /** Nothing stands there, or `null` or `~`. */
  readonly empty: boolean;
  /** Written without quotes: only such a scalar can be a number or a boolean. */
  readonly plain: boolean;
  readonly place: Place;
  /** Variables its text came from. */
  readonly uses: readonly VariableUse[];
  readonly tag: MergeTag | undefined;
}

export interface MapValue {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly place: Place;
  readonly tag: MergeTag | undefined;
}

export interface Entry {
  readonly keyPlace: Place;
  readonly value: Value;
}

export interface ListValue {
  readonly kind: 'list';
  readonly items: readonly Value[];
  readonly place: Place;
  readonly tag: MergeTag | undefined;
}

/** Compose's tags of an extending file: forget what the base says, or replace it whole. */
export type MergeTag = 'reset' | 'override';

export interface VariableUse {
  readonly name: string;
  /** `default`: the variable was not set and its `:-` text counted. */
  readonly from: 'environment' | 'file' | 'default' | 'late' | 'unset';
}

/** The value at a path of keys, if the tree has it. */
export function valueAt(value: Value | undefined, ...path: string[]): Value | undefined {
  let current = value;
  for (const key of path) current = current?.kind === 'map' ? current.entries.get(key)?.value : undefined;
  return current;
}

/** The place of the last key of a path, of the list item that reads like it, or of the nearest parent. */
export function keyPlaceAt(value: Value, ...path: string[]): Place {
  let current = value;
  let place = value.place;
  for (const key of path) {
    if (current.kind === 'map') {
      const entry = current.entries.get(key);
      if (!entry) return place;
      place = entry.keyPlace;
      current = entry.value;
    } else if (current.kind === 'list') {
      const item = current.items.find((one) => one.kind === 'scalar' && one.text === key);
      return item?.place ?? place;
    }
  }
  return place;
}

/** Its text came from a variable whose name says secret: never shown. */
export function isSecret(value: ScalarValue): boolean {
  return value.uses.some(
    ({ name, from }) => (from === 'environment' || from === 'file') && isSecretName(name),
  );
}

/** A word for people. */
export function describeKind(value: Value): string {
  if (value.kind === 'map') return 'a map';
  if (value.kind === 'list') return 'a list';
  if (value.empty) return 'nothing';
  if (isSecret(value)) return 'what a secret variable holds';
  return typeof value.text === 'string' ? `"${value.text}"` : 'a value that is known only at start';
}
