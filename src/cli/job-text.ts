/** Jobs as text for people. Pure. */
import { formatDuration } from '../base/duration.ts';
import type { Durability, JobState, JobsStatus, JobView } from '../protocol/jobs.ts';
import { shortJobId } from '../protocol/stored-line.ts';
import { ageOf } from './status-text.ts';
import { type Column, renderTable } from './table.ts';
import { cutText, type Paint, type Tone, tameLine } from './terminal.ts';

export const LOOKS: Readonly<Record<JobState, Tone>> = {
  created: 'busy',
  retry: 'warn',
  active: 'busy',
  completed: 'good',
  cancelled: 'dim',
  failed: 'bad',
};

export const KEPT: Readonly<Record<Durability, string>> = {
  durable: 'kept on disk',
  journaled: 'kept in memory and a file of the volume',
  volatile: 'kept in memory alone: they are lost when this container stops',
};

/** `scrape 1f0c9a3e`: what people call a job. */
export function nameOf({ type, id }: Pick<JobView, 'type' | 'id'>): string {
  return `${type} ${shortJobId(id)}`;
}

/** Is nothing more to come? */
export function isOver({ state }: JobView): boolean {
  return state === 'completed' || state === 'cancelled' || state === 'failed';
}

/** A table that fits the width; `now` in ms since the epoch. */
export function renderJobs(
  jobs: readonly JobView[],
  now: number,
  width: number | undefined,
  paint: Paint,
): string[] {
  const columns: readonly Column<JobView>[] = [
    { title: 'JOB', cell: ({ id }) => ({ text: shortJobId(id) }) },
    { title: 'TYPE', cell: ({ type }) => ({ text: cutText(tameLine(type), 24) }) },
    { title: 'STATE', cell: ({ state }) => ({ text: state, tone: LOOKS[state] }) },
    { title: 'AGE', align: 'right', cell: ({ createdAt }) => ({ text: ageOf(createdAt, now) }) },
    { title: 'TOOK', from: 'medium', align: 'right', cell: (job) => ({ text: tookText(job, now) }) },
    {
      title: 'TRY',
      from: 'medium',
      align: 'right',
      cell: ({ attempts, maxAttempts }) => ({ text: `${attempts}/${maxAttempts}` }),
    },
    {
      title: 'PRIO',
      from: 'wide',
      align: 'right',
      cell: ({ priority }) => ({ text: String(priority) }),
    },
    { title: 'WHY', flexible: true, cell: (job) => ({ text: whyOf(job, now), tone: 'dim' }) },
  ];
  return renderTable(columns, jobs, width, paint);
}

function tookText({ state, startedAt, finishedAt }: JobView, now: number): string {
  // Between two attempts only the start of the last one is known.
  if (startedAt === undefined || state === 'retry') return '-';
  const end = finishedAt === undefined ? now : Date.parse(finishedAt);
  return formatDuration(Math.max(0, end - Date.parse(startedAt)));
}

/** What the state alone does not say. */
export function whyOf(job: JobView, now: number): string {
  const { state, failure, progress, startAfter, cancelRequested } = job;
  if (cancelRequested && state === 'active') return 'being stopped';
  if (state === 'active' && progress !== undefined) return progressText(progress);
  const wait = startAfter === undefined ? 0 : Date.parse(startAfter) - now;
  const due =
    (state === 'created' || state === 'retry') && wait > 0 ? `not before ${formatDuration(wait)}` : '';
  const why = failure === undefined || state === 'completed' ? '' : failureText(failure);
  return [due, why].filter((part) => part !== '').join('; ');
}

function progressText({ percent, text = '' }: NonNullable<JobView['progress']>): string {
  const share = percent === undefined ? '' : `${Math.floor(percent)} % `;
  return tameLine(`${share}${text}`).trim();
}

export function failureText({ reason, message }: NonNullable<JobView['failure']>): string {
  if (message === '' || message === reason) return tameLine(reason);
  return tameLine(message.startsWith(`${reason} `) ? message : `${reason}: ${message}`);
}

/** How it stands with one job, as a sentence. */
export function describeJob(job: JobView, now: number): string {
  const name = nameOf(job);
  const { state, attempts, maxAttempts, startedAt } = job;
  const why = whyOf(job, now);
  const because = why === '' ? '' : `: ${why}`;
  const took = startedAt === undefined ? '' : ` after ${tookText(job, now)}`;
  const tries = maxAttempts > 1 && attempts > 0 ? `, attempt ${attempts} of ${maxAttempts}` : '';
  if (state === 'created') return `${name} waits${because}`;
  if (state === 'retry') return `${name} waits for another try${tries}${because}`;
  if (state === 'active') return `${name} runs${tries}${because}`;
  return `${name} ${state === 'cancelled' ? 'was cancelled' : state}${took}${state === 'failed' ? tries : ''}${because}`;
}

/** Undefined where jobs are as safe as they can be. */
export function durabilityNote(durability: Durability): string | undefined {
  return durability === 'durable' ? undefined : `note: jobs are ${KEPT[durability]}`;
}

/** The queue as a whole. */
export function renderQueue(
  status: JobsStatus,
  now: number,
  width: number | undefined,
  paint: Paint,
): string {
  const { counts, store, workers, paused, oldestQueuedAgeMs, byType } = status;
  const isSafe = store.durability === 'durable';
  const reason = store.reason === undefined ? '' : `: ${tameLine(store.reason)}`;
  const back = store.pendingReturn ? `; ${store.pendingReturn} wait to go back` : '';
  const waiting = counts.created + counts.retry;
  const oldest =
    oldestQueuedAgeMs === undefined ? '' : `, the oldest for ${formatDuration(oldestQueuedAgeMs)}`;
  return [
    paint(
      isSafe ? 'good' : 'warn',
      `${isSafe ? '●' : '▲'} ${store.kind}: ${KEPT[store.durability]}${isSafe ? '' : `, for ${ageOf(store.since, now)}`}${reason}${back}`,
    ),
    `${waiting} waiting${oldest}; ${counts.active} active, ${counts.failed} failed, ${counts.completed} completed, ${counts.cancelled} cancelled`,
    ...(paused ? [paint('warn', 'paused: no more jobs begin. Go on with: bulkhead job resume')] : []),
    '',
    ...renderTable(typeColumns(), Object.entries(byType), width, paint),
    '',
    ...(workers.length === 0 ? [paint('warn', 'nobody works')] : []),
    ...workers.map(
      ({ host, id, active, seenAt }) =>
        `${tameLine(`worker ${id} on ${host}`)}: ${active} active, seen ${ageOf(seenAt, now)} ago`,
    ),
  ].join('\n');
}

function typeColumns(): readonly Column<[string, JobsStatus['byType'][string]]>[] {
  return [
    { title: 'TYPE', cell: ([type]) => ({ text: cutText(tameLine(type), 24) }) },
    {
      title: 'WAITING',
      align: 'right',
      cell: ([, { counts }]) => ({ text: `${counts.created + counts.retry}` }),
    },
    {
      title: 'ACTIVE',
      align: 'right',
      cell: ([, { active, concurrency }]) => ({ text: `${active}/${concurrency}` }),
    },
    {
      title: 'FAILED',
      align: 'right',
      cell: ([, { counts }]) =>
        counts.failed > 0 ? { text: `${counts.failed}`, tone: 'bad' } : { text: '0' },
    },
    {
      title: 'OLDEST',
      from: 'medium',
      align: 'right',
      cell: ([, { oldestQueuedAgeMs: age }]) => ({ text: age === undefined ? '-' : formatDuration(age) }),
    },
    {
      title: 'NOTE',
      flexible: true,
      cell: ([, { paused }]) => ({ text: paused ? 'paused' : '', tone: 'warn' }),
    },
  ];
}
