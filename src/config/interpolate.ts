/**
 * Variables in values, by the rules of the Compose Specification ("Interpolation"):
 * `$V ${V} ${V:-d} ${V-d} ${V:?e} ${V?e} ${V:+x} ${V+x}`, nested inside d, e and x; `$$` is one dollar.
 * No shell, no command, no `${V/a/b}`.
 */
import type { LateName, Text } from './plan-text.ts';
import type { VariableUse } from './tree.ts';

/** What a variable is when the plan is read. */
export type Lookup =
  | { readonly kind: 'set'; readonly value: string; readonly from: 'environment' | 'file' }
  | { readonly kind: 'late'; readonly late: LateName }
  | { readonly kind: 'unset' }
  /** It is given, but in a way that was already reported. */
  | { readonly kind: 'broken' };

export interface Interpolation {
  readonly text: Text;
  readonly uses: readonly VariableUse[];
  readonly faults: readonly Fault[];
}

/** What is wrong at characters `start` to `end` of the text. */
interface Fault {
  readonly kind: 'invalid' | 'required' | 'unset';
  /** Of the variable; empty where the syntax is broken. */
  readonly name: string;
  readonly message: string;
  readonly start: number;
  readonly end: number;
}

type Part = string | { readonly late: LateName };

interface Walk {
  readonly lookup: (name: string, start: number, end: number) => Lookup;
  readonly uses: VariableUse[];
  readonly faults: Fault[];
}

/** Fills the variables of one value. Never throws: what cannot be filled is a fault and reads as nothing. */
export function interpolate(
  text: string,
  lookup: (name: string, start: number, end: number) => Lookup,
): Interpolation {
  if (!text.includes('$')) return { text, uses: [], faults: [] };
  const walk: Walk = { lookup, uses: [], faults: [] };
  return { text: joinParts(fill(text, 0, walk)), uses: walk.uses, faults: walk.faults };
}

/** A text without holes is a plain string; neighbouring strings are one. */
export function joinParts(parts: readonly Part[]): Text {
  const joined: Part[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === 'string' && typeof last === 'string') joined[joined.length - 1] = last + part;
    else if (part !== '') joined.push(part);
  }
  const [first] = joined;
  if (first === undefined) return '';
  return joined.length === 1 && typeof first === 'string' ? first : { parts: joined };
}

function fill(text: string, base: number, walk: Walk): Part[] {
  const parts: Part[] = [];
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) break;
    parts.push(text.slice(at, dollar));
    const next = text[dollar + 1];
    const named = text.slice(dollar + 1, nameEnd(text, dollar + 1));
    if (next === '$') {
      parts.push('$');
      at = dollar + 2;
    } else if (next === '{') {
      const end = closingBrace(text, dollar + 2);
      if (end < 0) {
        invalid('this ${ is never closed', base + dollar, base + text.length, walk);
        return parts;
      }
      parts.push(...braced(text.slice(dollar + 2, end), base + dollar, walk));
      at = end + 1;
    } else if (named !== '') {
      parts.push(...resolve(named, '', '', base + dollar, base + dollar + 1 + named.length, 0, walk));
      at = dollar + 1 + named.length;
    } else {
      invalid('a $ that starts no variable', base + dollar, base + dollar + 1, walk);
      at = dollar + 1;
    }
  }
  parts.push(text.slice(at));
  return parts;
}

function braced(inner: string, start: number, walk: Walk): Part[] {
  const end = start + inner.length + 3;
  const name = inner.slice(0, nameEnd(inner, 0));
  const rest = inner.slice(name.length);
  const operator = OPERATORS.find((one) => rest.startsWith(one)) ?? '';
  if (name === '' || (rest !== '' && operator === '')) {
    invalid(`\${${inner}} is no variable`, start, end, walk);
    return [];
  }
  const word = rest.slice(operator.length);
  return resolve(name, operator, word, start, end, start + 2 + name.length + operator.length, walk);
}

const OPERATORS = [':-', ':?', ':+', '-', '?', '+'];

/** Behind the letters, digits and `_` from `from` on; `from` itself where no name starts there. By hand: a boot waits for it. */
function nameEnd(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const isLetter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
    const isDigit = code >= 48 && code <= 57;
    if (!isLetter && !(isDigit && at > from)) break;
  }
  return at;
}

function resolve(
  name: string,
  operator: string,
  word: string,
  start: number,
  end: number,
  wordStart: number,
  walk: Walk,
): Part[] {
  const found = walk.lookup(name, start, end);
  if (found.kind === 'broken') return [];
  const orEmpty = operator.startsWith(':');
  const counts = found.kind === 'late' || (found.kind === 'set' && !(orEmpty && found.value === ''));
  const kind = operator.at(-1);
  if (kind === '+') return counts ? fill(word, wordStart, walk) : [];
  if (counts) {
    if (found.kind === 'late') {
      walk.uses.push({ name, from: 'late' });
      return [{ late: found.late }];
    }
    walk.uses.push({ name, from: found.from });
    return [found.value];
  }
  if (kind === '-') {
    walk.uses.push({ name, from: 'default' });
    return fill(word, wordStart, walk);
  }
  if (kind === '?') {
    const reason = fill(word, wordStart, walk)
      .filter((part) => typeof part === 'string')
      .join('');
    const state = found.kind === 'set' ? 'is empty' : 'is not set';
    walk.faults.push({
      kind: 'required',
      name,
      message: reason === '' ? `${name} ${state}, and it is required here` : `${name} ${state}: ${reason}`,
      start,
      end,
    });
    return [];
  }
  if (found.kind === 'set') {
    walk.uses.push({ name, from: found.from });
    return [found.value];
  }
  walk.uses.push({ name, from: 'unset' });
  walk.faults.push({ kind: 'unset', name, message: `${name} is not set; it reads as nothing`, start, end });
  return [];
}

/** The brace that closes the one before `from`; braces of nested variables pair up. */
function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '$' && text[at + 1] === '$') at += 1;
    else if (text[at] === '$' && text[at + 1] === '{') {
      depth += 1;
      at += 1;
    } else if (text[at] === '}') {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return -1;
}

function invalid(message: string, start: number, end: number, walk: Walk): void {
  walk.faults.push({ kind: 'invalid', name: '', message, start, end });
}
