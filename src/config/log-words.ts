/** The words of `logs`, and what they come to. */
import { formatSize } from '../base/size.ts';
import type { LogsPlan } from './plan.ts';
import type { Problems } from './problems.ts';
import { flag, integer, size } from './scalars.ts';
import type { Value } from './tree.ts';
import { placeOfWord, type Stanza, stanza } from './words.ts';

const DEFAULTS: LogsPlan = { files: true, keepDays: 30, maxFile: 100 * 1024 ** 2, maxTotal: 2 * 1024 ** 3 };
/** Smaller files would be as many as lines. */
const SMALLEST_FILE = 64 * 1024;

const words = {
  files: {
    shape: flag,
    doc: 'Keep the lines of every service in /data/logs. false: they go to the output of the container only.',
    default: true,
  },
  keep_days: {
    shape: integer(1, 36_500),
    doc: 'Files of older days are deleted; the day is the one in the name of the file, in UTC.',
    default: DEFAULTS.keepDays,
  },
  max_file: {
    shape: size,
    doc: 'A file of this size is continued in another one of the same day.',
    default: '100m',
  },
  max_total: {
    shape: size,
    doc: 'All files together: above it the oldest are deleted, whatever their age.',
    default: '2g',
  },
} as const;

export const logs = stanza(words, {
  aliases: {
    retention: '`keep_days`',
    days: '`keep_days`',
    'max-size': '`max_file`',
    'max-file': '`max_total`',
    max_size: '`max_file`',
    level: '`log: { level: … }`',
    format: '`log: { format: … }`',
  },
});

export type LogsStanza = Stanza<typeof words>;

export function buildLogs(stanza: LogsStanza | undefined, problems: Problems): LogsPlan {
  const plan: LogsPlan = {
    files: stanza?.files ?? DEFAULTS.files,
    keepDays: stanza?.keep_days ?? DEFAULTS.keepDays,
    maxFile: stanza?.max_file ?? Math.min(DEFAULTS.maxFile, stanza?.max_total ?? DEFAULTS.maxFile),
    maxTotal: stanza?.max_total ?? DEFAULTS.maxTotal,
  };
  if (stanza) refuseSizes(plan, stanza.at, problems);
  return plan;
}

function refuseSizes({ maxFile, maxTotal }: LogsPlan, at: Value, problems: Problems): void {
  if (maxFile < SMALLEST_FILE) {
    problems.error(
      placeOfWord(at, 'max_file'),
      'wrong-value',
      `logs.max_file must be at least ${formatSize(SMALLEST_FILE)}`,
    );
  }
  if (maxTotal < maxFile) {
    problems.error(
      placeOfWord(at, 'max_total'),
      'wrong-value',
      'logs.max_total is less than one file may have (logs.max_file)',
      { suggestion: `write at least ${formatSize(maxFile)}` },
    );
  }
}

export function logsLines({ files, keepDays, maxFile, maxTotal }: LogsPlan): readonly [string, unknown][] {
  return [
    ['logs.files', files],
    ['logs.keep_days', keepDays],
    ['logs.max_file', formatSize(maxFile)],
    ['logs.max_total', formatSize(maxTotal)],
  ];
}
