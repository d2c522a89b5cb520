import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, parseDocument } from 'yaml';
import { describePlace, type Place, type SourceFile } from './located.ts';
import type { Problems } from './problems.ts';
import type { Entry, MergeTag, Value } from './tree.ts';
import { explainSyntax } from './yaml-errors.ts';

/** Aliases make small files huge; no honest plan has this many values. */
const MAX_VALUES = 20_000;

interface Conversion {
  readonly file: SourceFile;
  readonly problems: Problems;
  readonly document: ReturnType<typeof parseDocument>;
  /** Anchors being read: an alias inside its own anchor has no end. */
  readonly open: Set<Node>;
  count: number;
}

/** YAML text to a tree with places, or undefined where it is no YAML at all; the problems say why. */
export function parseYaml(file: SourceFile, problems: Problems): Value | undefined {
  const document = parseDocument(file.text, {
    prettyErrors: false,
    uniqueKeys: false,
    strict: true,
  });
  const seen = new Set<number>();
  for (const error of document.errors) {
    const { message, suggestion, start, end } = explainSyntax(error, file);
    // One slip makes several errors on its line; the first says it all.
    const key = file.text.lastIndexOf('\n', Math.max(0, start - 1));
    if (seen.has(key)) continue;
    seen.add(key);
    problems.error({ file, start, end }, 'yaml-syntax', message, { suggestion });
  }
  if (document.errors.length > 0) return undefined;
  const conversion: Conversion = { file, problems, document, open: new Set(), count: 0 };
  return convert(
    document.contents,
    { file, start: 0, end: Math.max(1, file.text.indexOf('\n')) },
    conversion,
  );
}

function convert(node: unknown, fallback: Place, conversion: Conversion): Value {
  const { file, problems } = conversion;
  conversion.count += 1;
  if (conversion.count === MAX_VALUES) {
    problems.error(
      fallback,
      'too-large',
      `more than ${MAX_VALUES.toLocaleString('en')} values: aliases that multiply each other?`,
    );
  }
  if (conversion.count >= MAX_VALUES) return emptyScalar(fallback);
  if (isAlias(node)) return convertAlias(node, placeOf(node, fallback), conversion);
  if (isScalar(node)) {
    const plain = node.type === 'PLAIN' || node.type === undefined;
    const text =
      plain && node.source !== undefined ? node.source : node.value === null ? '' : String(node.value);
    const place = plain && text === '' ? fallback : placeOf(node, fallback);
    return {
      kind: 'scalar',
      text,
      empty: plain && node.value === null,
      plain,
      place,
      uses: [],
      tag: tagOf(node, place, problems),
    };
  }
  if (isMap(node)) {
    const place = placeOf(node, fallback);
    return {
      kind: 'map',
      entries: convertPairs(node.items, place, conversion),
      place,
      tag: tagOf(node, place, problems),
    };
  }
  if (isSeq(node)) {
    const place = placeOf(node, fallback);
    const items = node.items.map((item) => convert(item, place, conversion));
    return { kind: 'list', items, place, tag: tagOf(node, place, problems) };
  }
  return emptyScalar({ file, start: fallback.start, end: fallback.end });
}

function convertAlias(node: Extract<Node, { source: string }>, place: Place, conversion: Conversion): Value {
  const { problems, document, open } = conversion;
  const target = isAlias(node) ? node.resolve(document) : undefined;
  if (target === undefined) {
    const name = String(node.source);
    problems.error(place, 'unknown-anchor', `no anchor &${name} stands above this *${name}`, {
      suggestion: `quote it if the value is meant to start with *`,
    });
    return emptyScalar(place);
  }
  if (open.has(target)) {
    problems.error(place, 'endless-alias', `*${String(node.source)} contains itself`);
    return emptyScalar(place);
  }
  open.add(target);
  const value = convert(target, place, conversion);
  open.delete(target);
  return value;
}

function convertPairs(pairs: readonly Pair[], place: Place, conversion: Conversion): Map<string, Entry> {
  const { problems } = conversion;
  const entries = new Map<string, Entry>();
  const merged: Value[] = [];
  for (const pair of pairs) {
    const keyPlace = placeOf(pair.key, place);
    if (!isScalar(pair.key)) {
      problems.error(keyPlace, 'not-a-key', 'a key must be a plain word', {
        suggestion: 'quote the value if it starts with { or [',
      });
      continue;
    }
    const key = pair.key.source ?? String(pair.key.value);
    const value = convert(pair.value, keyPlace, conversion);
    if (key === '<<') {
      merged.push(...(value.kind === 'list' ? value.items : [value]));
      continue;
    }
    const first = entries.get(key);
    if (first) {
      problems.error(keyPlace, 'duplicate-key', `"${key}" stands twice in the same map`, {
        suggestion: 'keep one of them',
        note: `the first is at ${describePlace(first.keyPlace)}`,
      });
      continue;
    }
    entries.set(key, { keyPlace, value });
  }
  for (const value of merged) {
    if (value.kind !== 'map') {
      problems.error(value.place, 'bad-merge', '<< takes a map or a list of maps');
      continue;
    }
    for (const [key, entry] of value.entries) if (!entries.has(key)) entries.set(key, entry);
  }
  return entries;
}

function tagOf(node: Node, place: Place, problems: Problems): MergeTag | undefined {
  const tag = 'tag' in node ? node.tag : undefined;
  if (tag === '!reset') return 'reset';
  if (tag === '!override') return 'override';
  if (typeof tag === 'string' && !tag.startsWith('tag:yaml.org,2002:')) {
    problems.error(place, 'unknown-tag', `unknown tag ${tag}`, { note: 'known tags: !reset, !override' });
  }
  return undefined;
}

/** Ranges end with the value, not with the blank lines behind it. */
function placeOf(node: unknown, fallback: Place): Place {
  const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
  if (!Array.isArray(range)) return fallback;
  const [start, end] = range as [number, number];
  return { file: fallback.file, start, end: Math.max(start + 1, end) };
}

function emptyScalar(place: Place): Value {
  return { kind: 'scalar', text: '', empty: true, plain: true, place, uses: [], tag: undefined };
}
