/** `bulkhead db status` for people: the facts, what was imported, every setting with its reason. Pure. */
import { formatSize } from '../base/size.ts';
import type { DatabaseStatus, LedgerView, SettingView } from '../protocol/database-status.ts';
import { ageOf } from './status-text.ts';
import { type Column, renderTable } from './table.ts';
import { type Paint, tameLine } from './terminal.ts';

const SETTINGS: readonly Column<SettingView>[] = [
  { title: 'SETTING', cell: ({ name }) => ({ text: name }) },
  { title: 'VALUE', cell: ({ value }) => ({ text: tameLine(value) }) },
  { title: 'FROM', from: 'medium', cell: ({ source }) => ({ text: tameLine(source), tone: 'dim' }) },
  { title: 'WHY', flexible: true, cell: ({ reason }) => ({ text: tameLine(reason), tone: 'dim' }) },
];

/**
 * @param now milliseconds since the epoch
 * @param backup how far back a disaster would throw people; undefined: not known
 */
export function renderDatabase(
  status: DatabaseStatus,
  width: number | undefined,
  paint: Paint,
  now: number,
  backup?: string,
): string {
  const facts: [string, string][] = [
    ['database', `${status.database} of ${status.user}${status.exists ? '' : ' (not there yet)'}`],
    [
      'server',
      `PostgreSQL ${status.serverVersion}, ${describePlace(status)}, up ${ageOf(status.startedAt, now)}`,
    ],
    ...(status.cluster === undefined ? [] : [['cluster', status.cluster] satisfies [string, string]]),
    ['content', describeContent(status)],
    ['sessions', String(status.connections)],
    ...describeUnclean(status),
    ...(status.drifted.length === 0
      ? []
      : ([
          [
            'text order',
            `${describeDrift(status.drifted)}; ${driftRemedy(status.external && status.database)}`,
          ],
        ] satisfies [string, string][])),
    ...(backup === undefined ? [] : ([['backup', backup]] as [string, string][])),
    ...status.ledger
      // A look at the order of text that found nothing is no news.
      .filter(({ kind, detail }) => kind !== 'collation' || detail.rebuilt !== undefined)
      .filter(({ kind, detail }) => kind !== 'before-migration' || detail.backup !== undefined)
      .map((row): [string, string] => [DEEDS[row.kind], describeRow(row)]),
    ...status.kept.map(({ name, major, until }): [string, string] => [
      'kept',
      `${name}, PostgreSQL ${major}, until ${until}; back to it: bulkhead db rollback ${name}`,
    ]),
    ...status.keptDatabases.map(({ name, since, bytes }): [string, string] => [
      'kept',
      `${name}, a database of ${formatSize(bytes)}, replaced ${ageOf(since, now)} ago; back to it: bulkhead db rollback ${name}; rid of it: bulkhead db rollback --forget ${name}`,
    ]),
  ];
  const nameWidth = Math.max(...facts.map(([name]) => name.length));
  return [
    ...facts.map(([name, text]) => `${paint('dim', name.padEnd(nameWidth))}  ${tameLine(text)}`),
    '',
    ...renderTable(SETTINGS, status.settings, width, paint),
  ].join('\n');
}

/** `elsewhere`: the database, on a server that is not ours. */
export function driftRemedy(elsewhere?: string): string {
  return elsewhere === undefined
    ? 'build them anew, before the application starts again: bulkhead restart --dependents setup'
    : `as its owner, while the application stands still: REINDEX DATABASE ${elsewhere}; then ALTER DATABASE ${elsewhere} REFRESH COLLATION VERSION`;
}

export function describeDrift(drifted: readonly string[]): string {
  return `text is sorted otherwise than when the indexes of ${drifted.join(', ')} were built, and they may find less than there is`;
}

function describeUnclean({ uncleanStops: { count, lastAt } }: DatabaseStatus): [string, string][] {
  return count === 0 ? [] : [['unclean stops', `${count}, the last told at ${lastAt ?? 'an unknown time'}`]];
}

const POOLERS = {
  none: '',
  session: ', through a pooler',
  transaction: ', through a transaction pooler: no locks or prepared statements of a session hold there',
} as const;

function describePlace({ external, port }: DatabaseStatus): string {
  if (external === undefined) return `port ${port}`;
  return `at ${external.host} (not ours), ${external.encryption}${POOLERS[external.pooler]}`;
}

function describeContent({ size, tables, rows }: DatabaseStatus): string {
  if (size === undefined) return '-';
  const known =
    tables === undefined ? '' : `, ${tables} tables, about ${(rows ?? 0).toLocaleString('en')} rows`;
  return `${formatSize(size)}${known}`;
}

const DEEDS: Readonly<Record<LedgerView['kind'], string>> = {
  import: 'imported',
  create: 'created',
  collation: 'reindexed',
  restore: 'restored',
  upgrade: 'upgraded',
  adopt: 'adopted',
  found: 'found',
  'before-migration': 'dumped',
};

function describeRow({ at, detail, kind }: LedgerView): string {
  const when = typeof at === 'string' ? at : at.toISOString();
  if (detail.rebuilt !== undefined) {
    const counts = Object.entries(detail.rebuilt).map(([name, count]) => `${count} of ${name}`);
    return `${when}, because the order of text had changed: indexes ${counts.join(', ')}`;
  }
  if (kind === 'before-migration') return `${when}, before a changed migration: ${detail.backup}`;
  if (detail.file === undefined) return when;
  const rows = detail.rows === undefined ? '' : `, ${detail.rows.toLocaleString('en')} rows`;
  return `${when} from ${detail.file} (${detail.format ?? 'a dump'}${rows})`;
}
