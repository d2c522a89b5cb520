/** The status of the product as text for people: pure, so that every layout can be tested as it is. */
import { formatDuration } from '../base/duration.ts';
import { describeCounts, describeStore } from '../protocol/jobs-words.ts';
import type { ProductStatus, ServiceStatus, StatusWord } from '../protocol/status.ts';
import type { Overall } from '../protocol/verdict.ts';
import { describeRecord } from './log-text.ts';
import { type Column, renderTable } from './table.ts';
import { cutText, type Paint, type Tone, tameLine, wrapped } from './terminal.ts';

/** Glyph and word together: colour alone says nothing to some readers and to a pipe. */
const LOOKS: Readonly<Record<StatusWord, { readonly glyph: string; readonly tone: Tone }>> = {
  ready: { glyph: '●', tone: 'good' },
  done: { glyph: '✔', tone: 'good' },
  waiting: { glyph: '◌', tone: 'busy' },
  starting: { glyph: '◐', tone: 'busy' },
  backoff: { glyph: '◐', tone: 'warn' },
  stopping: { glyph: '◑', tone: 'warn' },
  unhealthy: { glyph: '▲', tone: 'bad' },
  failed: { glyph: '✖', tone: 'bad' },
  stopped: { glyph: '○', tone: 'dim' },
  disabled: { glyph: '-', tone: 'dim' },
};

const OVERALL_LOOKS: Readonly<Record<Overall, { readonly glyph: string; readonly tone: Tone }>> = {
  pass: { glyph: '●', tone: 'good' },
  warn: { glyph: '▲', tone: 'warn' },
  fail: { glyph: '✖', tone: 'bad' },
};

export interface StatusView {
  readonly product: ProductStatus;
  /** The services to show; all of the product's unless some were named. */
  readonly services: readonly ServiceStatus[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly width: number | undefined;
  readonly paint: Paint;
  /** How people call this program here. */
  readonly command: string;
}

/** Is it in a state that somebody should look at? */
export function isUnwell({ status }: ServiceStatus): boolean {
  return status === 'unhealthy' || status === 'backoff' || status === 'failed';
}

/** How a status word looks. */
export function lookOf(status: StatusWord): { readonly glyph: string; readonly tone: Tone } {
  return LOOKS[status];
}

/** Time since an ISO 8601 moment, e.g. `3 h 12 min`. */
export function ageOf(since: string, now: number): string {
  return formatDuration(Math.max(0, now - Date.parse(since)));
}

/** The reason sentence first, the table, what is not well, the hint last. */
export function renderStatus(view: StatusView): string {
  const { product, services, now, width, paint, command } = view;
  const unwell = services.filter(isUnwell);
  const first = unwell[0];
  return [
    renderReason(product, width, paint),
    paint(
      'dim',
      fitWidth(
        `${product.name} ${product.version}  tier ${product.tier}  ${product.phase} for ${ageOf(product.since, now)}  pid ${product.pid}`,
        width,
      ),
    ),
    '',
    ...renderTable(statusColumns(now), services, width, paint),
    ...renderJobs(product, width, paint),
    ...unwell.flatMap((service) => renderTrouble(service, view)),
    ...renderNotes(product, width, paint),
    ...(first === undefined ? [] : ['', paint('dim', `see why: ${command} logs ${first.name} --tail 50`)]),
  ].join('\n');
}

function renderReason(
  { overall, reason, phase }: ProductStatus,
  width: number | undefined,
  paint: Paint,
): string {
  const { glyph, tone } = OVERALL_LOOKS[overall];
  const calm = phase === 'running' ? 'ready: every service is well' : phase;
  return wrapped(`${glyph} ${tameLine(reason === '' ? calm : reason)}`, width, tone, paint);
}

/** The columns of the services table. */
function statusColumns(now: number): readonly Column<ServiceStatus>[] {
  return [
    { title: ' ', cell: ({ status }) => ({ text: LOOKS[status].glyph, tone: LOOKS[status].tone }) },
    { title: 'SERVICE', cell: ({ name }) => ({ text: cutText(name, 24) }) },
    { title: 'STATUS', cell: ({ status }) => ({ text: status, tone: LOOKS[status].tone }) },
    {
      title: 'SINCE',
      cell: ({ since, status }) => ({ text: status === 'disabled' ? '-' : ageOf(since, now) }),
    },
    {
      title: 'PID',
      from: 'medium',
      align: 'right',
      cell: ({ pid }) => ({ text: pid === undefined ? '-' : `${pid}` }),
    },
    {
      title: 'RST',
      from: 'medium',
      align: 'right',
      cell: ({ restarts }) => (restarts > 0 ? { text: `${restarts}`, tone: 'warn' } : { text: '0' }),
    },
    { title: 'HEALTH', from: 'medium', cell: healthCell },
    {
      title: 'READY IN',
      from: 'wide',
      align: 'right',
      cell: ({ startedIn }) => ({ text: startedIn === undefined ? '-' : formatDuration(startedIn) }),
    },
    { title: 'WHY', flexible: true, cell: (service) => ({ text: whyOf(service), tone: 'dim' }) },
  ];
}

function healthCell({ check, status }: ServiceStatus): { text: string; tone?: Tone } {
  if (check === undefined || status === 'stopped' || status === 'disabled') return { text: '-' };
  if (check.failures > 0) {
    return { text: `${check.failures}/${check.threshold} failed`, tone: check.up === false ? 'bad' : 'warn' };
  }
  if (check.up === undefined) return { text: 'not yet' };
  return { text: check.durationMs === undefined ? 'ok' : `ok ${formatDuration(check.durationMs)}` };
}

/** Why the status word is so, with how far a task has come. */
function whyOf({ reason, progress }: ServiceStatus): string {
  if (progress === undefined) return tameLine(reason);
  const percent = progress.percent === undefined ? '' : ` ${Math.floor(progress.percent)} %`;
  const detail = progress.detail === undefined ? '' : ` ${progress.detail}`;
  return tameLine(`${progress.what}${percent}${detail}`);
}

function renderTrouble(service: ServiceStatus, { width, paint }: StatusView): string[] {
  const { glyph, tone } = LOOKS[service.status];
  const { lastExit, check, lastLine } = service;
  const reason = service.reason === '' ? service.status : `${service.status}: ${tameLine(service.reason)}`;
  const facts = [
    ...(lastExit === undefined
      ? []
      : [`last end: ${describeExit(lastExit)}, at ${lastExit.at.slice(11, 19)} UTC`]),
    ...(check?.lastError === undefined ? [] : [`last check: ${tameLine(check.lastError)}`]),
  ];
  return [
    '',
    paint(tone, fitWidth(`${glyph} ${service.name}  ${reason}`, width)),
    ...facts.map((fact) => fitWidth(`  ${fact}`, width)),
    ...(lastLine === undefined
      ? []
      : [paint('dim', fitWidth(`  | ${describeRecord(lastLine) ?? tameLine(lastLine)}`, width))]),
  ];
}

/** "jobs: 12 waiting, 2 active; kept in PostgreSQL since 10:42 UTC" */
function renderJobs({ jobs }: ProductStatus, width: number | undefined, paint: Paint): string[] {
  if (jobs === undefined) return [];
  const text = `jobs: ${describeCounts(jobs)}; ${tameLine(describeStore(jobs.store))}`;
  return ['', wrapped(text, width, jobs.verdict === 'warn' ? 'warn' : 'dim', paint)];
}

function renderNotes({ notes }: ProductStatus, width: number | undefined, paint: Paint): string[] {
  if (notes.length === 0) return [];
  return ['', ...notes.map((note) => wrapped(`note: ${tameLine(note)}`, width, 'warn', paint))];
}

/** `exit 1`, `killed by SIGKILL`. */
export function describeExit({
  code,
  signal,
}: {
  readonly code: number | null;
  readonly signal: string | null;
}): string {
  return signal === null ? `exit ${code ?? '?'}` : `killed by ${signal}`;
}

function fitWidth(text: string, width: number | undefined): string {
  return width === undefined ? text : cutText(text, width);
}
