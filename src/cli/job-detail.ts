/** Everything about one job, as text for people. Pure. */
import { formatDuration } from '../base/duration.ts';
import type { AttemptView, JobView } from '../protocol/jobs.ts';
import { shortJobId } from '../protocol/stored-line.ts';
import { failureText, KEPT, LOOKS, nameOf, whyOf } from './job-text.ts';
import { ageOf } from './status-text.ts';
import { type Column, renderTable } from './table.ts';
import { type Paint, type Tone, tameLine } from './terminal.ts';

export interface JobPage {
  readonly job: JobView;
  /** ms since the epoch */
  readonly now: number;
  /** Undefined: no terminal, nothing has to fit. */
  readonly width: number | undefined;
  readonly paint: Paint;
}

export function renderJob({ job, now, width, paint }: JobPage): string {
  const { state, data, result, history = [] } = job;
  const why = whyOf(job, now);
  return [
    `${nameOf(job)}  ${paint(LOOKS[state], state)}${why === '' ? '' : `  ${why}`}`,
    '',
    ...factLines(factsOf(job, now)),
    ...valueLines('data', data),
    ...valueLines('result', result),
    ...(history.length === 0 ? [] : ['', ...renderTable(ATTEMPTS, history, width, paint)]),
    '',
    paint('dim', `what it wrote: bulkhead logs ${job.type} --job ${shortJobId(job.id)}`),
  ].join('\n');
}

type Fact = readonly [string, string | undefined];

function factsOf(job: JobView, now: number): readonly Fact[] {
  const { id, type, attempts, maxAttempts, priority, round, singletonKey, parent, worker } = job;
  return [
    ['id', id],
    ['type', type],
    ['attempts', `${attempts} of ${maxAttempts}`],
    ['run anew', round === undefined ? undefined : `${round === 1 ? 'once' : `${round} times`}, by people`],
    ['priority', `${priority}`],
    ['added', timeText(job.createdAt, now)],
    ['not before', timeText(job.startAfter, now)],
    ['started', timeText(job.startedAt, now)],
    ['ended', timeText(job.finishedAt, now)],
    ['one at a time', singletonKey],
    ['added by', parent === undefined ? undefined : `job ${parent}`],
    ['worker', worker],
    ['where it is', KEPT[job.durability]],
    ['asked to stop', job.cancelRequested ? 'yes: it is cancelled when it is gone' : undefined],
    [
      'dead letter',
      job.deadLetter ? `yes: run it anew with bulkhead job retry ${shortJobId(id)}` : undefined,
    ],
  ];
}

function factLines(facts: readonly Fact[]): string[] {
  const told = facts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const]));
  const width = Math.max(...told.map(([name]) => name.length));
  return told.map(([name, text]) => `${name.padEnd(width)}  ${tameLine(text)}`);
}

/** `2026-01-01 08:00:00 UTC, 5 min ago` */
function timeText(time: string | undefined, now: number): string | undefined {
  if (time === undefined) return undefined;
  const ms = Date.parse(time) - now;
  const distance = ms > 0 ? `in ${formatDuration(ms)}` : `${ageOf(time, now)} ago`;
  return `${time.slice(0, 19).replace('T', ' ')} UTC, ${distance}`;
}

const ENDS: Readonly<Record<AttemptView['end'], Tone>> = {
  completed: 'good',
  failed: 'bad',
  released: 'dim',
  cancelled: 'dim',
};

const ATTEMPTS: readonly Column<AttemptView>[] = [
  { title: 'TRY', align: 'right', cell: ({ attempt }) => ({ text: `${attempt}` }) },
  { title: 'STARTED', cell: ({ startedAt }) => ({ text: startedAt.slice(0, 19).replace('T', ' ') }) },
  {
    title: 'TOOK',
    align: 'right',
    cell: ({ startedAt, endedAt }) => ({
      text: formatDuration(Math.max(0, Date.parse(endedAt) - Date.parse(startedAt))),
    }),
  },
  {
    title: 'END',
    cell: ({ end }) => ({ text: end === 'released' ? 'put back' : end, tone: ENDS[end] }),
  },
  { title: 'WORKER', from: 'wide', cell: ({ worker = '-' }) => ({ text: tameLine(worker) }) },
  {
    title: 'WHY',
    flexible: true,
    cell: ({ failure }) => ({ text: failure === undefined ? '' : failureText(failure), tone: 'dim' }),
  },
];

function valueLines(name: string, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  const lines = JSON.stringify(value, undefined, 2).split('\n');
  return ['', `${name}:`, ...lines.map((line) => `  ${tameLine(line)}`)];
}
