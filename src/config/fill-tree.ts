import { interpolate } from './interpolate.ts';
import type { Place } from './located.ts';
import type { Problems } from './problems.ts';
import type { Entry, ScalarValue, Value } from './tree.ts';
import type { Variables } from './variables.ts';

/** Fills the variables of every value of a tree; keys stay as written, as in Compose. */
export function fillTree(value: Value, variables: Variables, problems: Problems): Value {
  if (value.kind === 'scalar') return fillScalar(value, variables, problems);
  if (value.kind === 'list') {
    return { ...value, items: value.items.map((item) => fillTree(item, variables, problems)) };
  }
  const entries = new Map<string, Entry>();
  for (const [key, entry] of value.entries) {
    // Extension fields hold whatever other tools want; their dollars are none of ours.
    const filled = key.startsWith('x-') ? entry.value : fillTree(entry.value, variables, problems);
    entries.set(key, { keyPlace: entry.keyPlace, value: filled });
  }
  return { ...value, entries };
}

function fillScalar(value: ScalarValue, variables: Variables, problems: Problems): ScalarValue {
  if (typeof value.text !== 'string' || !value.text.includes('$')) return value;
  const spot = spotter(value.place, value.text);
  const { text, uses, faults } = interpolate(value.text, (name, start, end) =>
    variables.lookup(name, spot(start, end)),
  );
  for (const fault of faults) {
    const at = spot(fault.start, fault.end);
    if (fault.kind === 'invalid') {
      problems.error(at, 'bad-interpolation', fault.message, {
        suggestion: 'write $$ for a dollar that is meant as such',
        note: 'variables are written $NAME, ${NAME}, ${NAME:-default} or ${NAME:?message}',
      });
    } else if (fault.kind === 'required') {
      problems.error(at, 'variable-required', fault.message, { suggestion: `set ${fault.name}` });
    } else {
      problems.warn(at, 'variable-unset', fault.message, {
        suggestion: `set it, or write \${${fault.name}:-} to say that nothing is fine`,
      });
    }
  }
  return { ...value, text, uses, empty: false };
}

/** Finds characters of the value in the file; the whole value where escapes or folding moved them. */
function spotter(place: Place, text: string): (start: number, end: number) => Place {
  const raw = place.file.text.slice(place.start, place.end);
  const quote = raw.startsWith('"') || raw.startsWith("'") ? 1 : 0;
  const same = raw.slice(quote, quote + text.length) === text;
  return (start, end) =>
    same ? { file: place.file, start: place.start + quote + start, end: place.start + quote + end } : place;
}
