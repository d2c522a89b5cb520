/** What `up` shows while it boots, as text: pure. */
import { formatDuration } from '../base/duration.ts';
import type { ProductStatus, ServiceStatus } from '../protocol/status.ts';
import { lookOf } from './status-text.ts';
import { type Column, renderTable } from './table.ts';
import { createPaint, cutText, type Paint, tameLine, wrapped } from './terminal.ts';

/** The final table: each service and how long it took, why the slowest was slow, what to know, the addresses. */
export function renderBoot(
  product: ProductStatus,
  width: number | undefined,
  color: boolean,
  command = 'bulkhead',
): string {
  const paint = createPaint(color);
  const shown = product.services.filter(({ status }) => status !== 'disabled');
  const slow = describeSlowest(shown);
  const whatWidth = Math.max(0, ...product.addresses.map(({ what }) => what.length));
  return [
    paint('strong', headline(product)),
    '',
    ...renderTable(columns(slow), shown, width, paint),
    ...product.notes.map((note) => wrapped(`note: ${tameLine(note)}`, width, 'warn', paint)),
    '',
    ...product.addresses.map(({ what, url }) => `  ${paint('dim', what.padEnd(whatWidth))}  ${url}`),
    paint('dim', `  see more: ${command} status, ${command} logs -f`),
  ].join('\n');
}

/** One step of the boot that has come to an end: `✔ setup 1.9 s  imported 16,765 rows`. */
export function renderStep(service: ServiceStatus, width: number | undefined, paint: Paint): string {
  const { glyph, tone } = lookOf(service.status);
  const mark = service.status === 'ready' ? '✔' : glyph;
  const took = service.startedIn === undefined ? '' : ` ${formatDuration(service.startedIn)}`;
  const why = service.reason === '' ? '' : `  ${tameLine(service.reason)}`;
  const text = `${service.name}${took}${why}`;
  return `${paint(tone, mark)} ${fitWidth(text, width === undefined ? undefined : width - 2)}`;
}

/** What is under way, for the one line that is drawn again and again: `⠋ setup importing tools.sql.gz 43 % 7,204 rows`. */
export function renderProgress(product: ProductStatus, frame: string, width: number, paint: Paint): string {
  const busy = product.services.filter(({ status }) => status === 'starting');
  const parts = busy.map(({ name, progress }) => {
    if (progress === undefined) return name;
    const percent = progress.percent === undefined ? '' : ` ${Math.floor(progress.percent)} %`;
    const detail = progress.detail === undefined ? '' : ` ${progress.detail}`;
    return tameLine(`${name} ${progress.what}${percent}${detail}`);
  });
  const waiting = product.services.filter(({ status }) => status === 'waiting').length;
  const rest = waiting === 0 ? '' : `  (${waiting} waiting)`;
  return `${paint('busy', frame)} ${cutText((parts.join(', ') || 'booting') + rest, width - 2)}`;
}

function headline({ name, version, tier, phase, reason, since, services }: ProductStatus): string {
  if (phase !== 'running') return `${name}: ${tameLine(reason === '' ? phase : reason)}`;
  const ready = services
    .filter(({ status, kind }) => status === 'ready' && kind === 'service')
    .map((each) => each.since);
  const last = ready.sort().at(-1);
  const after =
    last === undefined ? '' : ` after ${formatDuration(Math.max(0, Date.parse(last) - Date.parse(since)))}`;
  return `${name} ${version} (tier ${tier}) is ready${after}`;
}

function columns(slow: ReadonlyMap<string, string>): readonly Column<ServiceStatus>[] {
  return [
    { title: ' ', cell: ({ status }) => ({ text: lookOf(status).glyph, tone: lookOf(status).tone }) },
    { title: 'SERVICE', cell: ({ name }) => ({ text: cutText(name, 24) }) },
    { title: 'STATUS', cell: ({ status }) => ({ text: status, tone: lookOf(status).tone }) },
    {
      title: 'AFTER',
      align: 'right',
      cell: ({ startedIn }) => ({ text: startedIn === undefined ? '-' : formatDuration(startedIn) }),
    },
    { title: 'WHY', flexible: true, cell: ({ name }) => ({ text: slow.get(name) ?? '', tone: 'dim' }) },
  ];
}

/** What each said of itself; the slowest is marked as such. */
function describeSlowest(services: readonly ServiceStatus[]): ReadonlyMap<string, string> {
  const timed = services.filter(({ startedIn }) => startedIn !== undefined);
  const slowest = timed.toSorted((a, b) => (b.startedIn ?? 0) - (a.startedIn ?? 0))[0];
  return new Map(
    services.map((service) => {
      const said = tameLine(service.reason);
      const isSlowest = service === slowest && timed.length > 1;
      return [service.name, isSlowest ? `slowest${said === '' ? '' : `: ${said}`}` : said];
    }),
  );
}

function fitWidth(text: string, width: number | undefined): string {
  return width === undefined ? text : cutText(text, width);
}
