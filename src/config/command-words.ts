/** The words that every command shares: what runs, with which environment, as whom. */
import { asList, environmentMap } from './list-forms.ts';
import type { Text } from './plan-text.ts';
import { isInstanceName } from './replicas.ts';
import { absolutePath, flag, path, systemUser } from './scalars.ts';
import { byKind, lateText, listOf, mapOf, type Reading, type Shape, wrong } from './shape.ts';
import { splitCommand } from './split-command.ts';
import type { ListValue, Value } from './tree.ts';
import { stanza } from './words.ts';

/** argv: a list as it is, a text split into words without a shell. */
export const argv: Shape<readonly Text[]> = {
  read(value, where, reading) {
    if (value.kind === 'list') return listOf(lateText).read(value, where, reading);
    if (value.kind === 'map') return wrong(value, where, 'a command: a text or a list of words', reading);
    const { argv: words, shellSign, openQuote } = splitCommand(value.text);
    if (openQuote)
      return reading.problems.error(value.place, 'open-quote', `${where} has a quote that is never closed`);
    if (shellSign !== undefined) {
      reading.problems.warn(
        value.place,
        'no-shell',
        `no shell runs ${where}: the program gets "${shellSign}" as an argument`,
        {
          suggestion: 'write ["sh", "-c", "…"] if a shell is meant, or quote the sign',
        },
      );
    }
    return words.length === 0 ? undefined : words;
  },
  schema: { anyOf: [{ type: ['string', 'null'] }, { type: 'array', items: lateText.schema }] },
};

/** A value of the environment; nothing (`NAME:` or `- NAME`) passes our own variable through, where it is set. */
const environmentValue: Shape<Text> = {
  read(value, where, reading) {
    if (value.kind !== 'scalar') return wrong(value, where, 'a text', reading);
    if (!value.empty) return value.text;
    const found = reading.variables.lookup(where.slice(where.lastIndexOf('.') + 1), value.place);
    // A replica is told its number without being asked.
    if (found.kind === 'late')
      return isInstanceName(found.late) ? undefined : { parts: [{ late: found.late }] };
    return found.kind === 'set' ? found.value : undefined;
  },
  schema: { type: ['string', 'number', 'boolean', 'null'] },
};

const environmentEntries = mapOf(environmentValue, {
  wanted: 'a map, or a list of NAME=value',
  key: { pattern: /^[A-Za-z_][A-Za-z0-9_.-]*$/, wanted: 'letters, digits and _, not starting with a digit' },
});

/** A map, or Compose's list of `NAME=value` and `NAME`. */
const environment: Shape<ReadonlyMap<string, Text>> = {
  read(value, where, reading) {
    if (value.kind !== 'list') return environmentEntries.read(value, where, reading);
    checkItems(value, where, reading);
    return environmentEntries.read(environmentMap(value), where, reading);
  },
  schema: { anyOf: [environmentEntries.schema, { type: 'array', items: { type: 'string' } }] },
};

function checkItems(list: ListValue, where: string, reading: Reading): void {
  const seen = new Set<string>();
  for (const [index, item] of list.items.entries()) {
    if (item.kind !== 'scalar') {
      const meant = item.kind === 'map' ? [...item.entries.keys()][0] : undefined;
      wrong(
        item,
        `${where}[${index}]`,
        'NAME=value or NAME',
        reading,
        meant === undefined ? undefined : `write ${meant}=…, or drop the dash`,
      );
      continue;
    }
    const name = String(typeof item.text === 'string' ? item.text : item.text.parts[0]).split('=')[0] ?? '';
    if (seen.has(name))
      reading.problems.error(item.place, 'duplicate-key', `"${name}" stands twice in ${where}`, {
        suggestion: 'keep one of them',
      });
    seen.add(name);
  }
}

export interface EnvFile {
  readonly path: string;
  readonly required: boolean;
  /** Where the path is written: relative ones count from that file. */
  readonly at: Value;
}

const envFileItem = byKind('a path or a map with path', {
  scalar: path,
  map: stanza(
    {
      path: { shape: path, doc: 'The file; a relative path counts from the file of the plan that names it.' },
      required: { shape: flag, doc: 'false: a missing file is fine.', default: true },
    },
    {
      required: ['path'],
      refused: { format: 'the files are read as Node reads .env files; there is only that one format' },
    },
  ),
});

/** One path, one map, or a list of both. */
const envFiles: Shape<readonly EnvFile[]> = {
  read: (value, where, reading) =>
    asList(value).items.flatMap((item) => {
      const read = envFileItem.read(item, where, reading);
      if (typeof read === 'string') return [{ path: read, required: true, at: item }];
      return read?.path === undefined ? [] : [{ path: read.path, required: read.required ?? true, at: item }];
    }),
  schema: { anyOf: [envFileItem.schema, { type: 'array', items: envFileItem.schema }] },
};

export const commandWords = {
  command: {
    shape: argv,
    doc: 'What runs: a list of words, or one text that is split into words without a shell.',
    examples: [['node', 'server.js'], 'node server.js'],
  },
  environment: {
    shape: environment,
    doc: 'Variables the process sees, besides PATH, HOME, USER, LANG, TZ and NODE_ENV. A bare NAME passes ours through.',
    examples: [{ PORT: '${PORT:-3000}' }, ['PORT=3000', 'API_KEY']],
  },
  env_file: {
    shape: envFiles,
    doc: 'Files of NAME=value lines, read again at every start; environment beats them.',
    examples: ['app.env', { path: '/data/config/app.env', required: false }],
  },
  working_dir: { shape: absolutePath, doc: 'The folder it runs in.' },
  user: {
    shape: systemUser,
    doc: 'Whom it runs as: a name or uid, with an optional :group. Counts only when Bulkhead is root.',
  },
  folders: {
    shape: listOf(absolutePath),
    doc: "Folders it writes in: made where they are missing, and its user's own. What is in them keeps its owner.",
    examples: [['/data/assets/logos']],
  },
} as const;
