/** A job as a hash of BullMQ's, and back. */
import type { AttemptView, Durability, JobState } from '../../protocol/jobs.ts';
import type { Claim, JobFailure, JobProgress, JobRecord, NewJob } from '../store.ts';

/** BullMQ's priorities: 1 is first, and 0 would be before all. Ours go both ways from the middle. */
const MIDDLE = 1024 * 1024;

export function priorityOf(priority: number): number {
  return Math.min(2 * MIDDLE, Math.max(1, MIDDLE - Math.round(priority)));
}

/** Of the field `data`: what the job was given, and what our own words need. */
export interface RedisData {
  readonly data: unknown;
  readonly priority: number;
  readonly parent?: string;
}

export function dataOf({ data, priority, parent }: Pick<NewJob, 'data' | 'priority' | 'parent'>): RedisData {
  return { data: data ?? null, priority, ...(parent === undefined ? {} : { parent }) };
}

/** As `HGETALL` gives it: names and values in turn. */
export type Flat = readonly string[];
/** id, type, state, fields */
export type FlatView = readonly [string, string, JobState, Flat];

export function recordOf([id, type, state, flat]: FlatView, durability: Durability): JobRecord {
  const fields = fieldsOf(flat);
  const { data, priority, parent } = JSON.parse(fields.get('data') ?? '{}') as RedisData;
  const active = state === 'active';
  const waits = state === 'created' || state === 'retry';
  const failure = parse<JobFailure>(fields.get('bhFailure'));
  const progress = parse<JobProgress>(fields.get('progress'));
  const result =
    state === 'completed' ? parse<{ value?: unknown }>(fields.get('returnvalue'))?.value : undefined;
  const key = fields.get('deid');
  const startAfter = waits ? timeOf(fields.get('bhAt')) : undefined;
  const startedAt = timeOf(fields.get('processedOn'));
  const finishedAt = waits || active ? undefined : timeOf(fields.get('finishedOn'));
  const worker = fields.get('bhWorker');
  const round = fields.get('bhRound');
  const history = parse<readonly Ended[]>(fields.get('bhHistory'))?.map(endedOf);
  return {
    id,
    type,
    state,
    priority,
    data,
    ...(key === undefined ? {} : { singletonKey: key }),
    attempts: madeOf(fields) + (active ? 1 : 0),
    maxAttempts: mostOf(fields),
    createdAt: timeOf(fields.get('timestamp')) ?? '',
    ...(startAfter === undefined ? {} : { startAfter }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(progress === undefined ? {} : { progress }),
    ...(result === undefined ? {} : { result }),
    ...(failure === undefined ? {} : { failure }),
    ...(fields.has('bhCancel') ? { cancelRequested: true } : {}),
    durability,
    ...(worker === undefined ? {} : { worker }),
    ...(parent === undefined ? {} : { parent }),
    ...(state === 'failed' ? { deadLetter: true } : {}),
    ...(round === undefined ? {} : { round: Number(round) }),
    ...(history === undefined ? {} : { history }),
  };
}

/** In which order jobs were added. */
export function seqOf([, , , flat]: FlatView): number {
  return Number(fieldsOf(flat).get('bhSeq') ?? 0);
}

export function claimOf(id: string, type: string, flat: Flat, token: string, worker: string): Claim {
  const fields = fieldsOf(flat);
  const { data, priority, parent } = JSON.parse(fields.get('data') ?? '{}') as RedisData;
  return {
    id,
    type,
    attempt: madeOf(fields) + 1,
    maxAttempts: mostOf(fields),
    priority,
    data,
    ...(parent === undefined ? {} : { parent }),
    round: Number(fields.get('bhRound') ?? 0),
    worker,
    token,
    cancelRequested: fields.has('bhCancel'),
  };
}

/** For `bhAdopt`: the fields as BullMQ and we would have written them. What was active elsewhere waits again. */
export function adoptedFields(job: JobRecord): string[] {
  const fields: Record<string, unknown> = {
    name: job.type,
    data: dataOf(job),
    opts: { attempts: job.maxAttempts, jobId: job.id, priority: priorityOf(job.priority) },
    timestamp: Date.parse(job.createdAt),
    delay: 0,
    priority: priorityOf(job.priority),
    atm: job.attempts,
    ats: job.attempts,
    processedOn: job.startedAt === undefined ? undefined : Date.parse(job.startedAt),
    finishedOn: job.finishedAt === undefined ? undefined : Date.parse(job.finishedAt),
    progress: job.progress,
    returnvalue: job.state === 'completed' ? { value: job.result } : undefined,
    bhFailure: job.failure,
    bhWorker: job.worker,
    bhRound: job.round,
    bhHistory: job.history?.map(({ startedAt, endedAt, failure, ...rest }) => ({
      ...rest,
      startedAt: Date.parse(startedAt),
      endedAt: Date.parse(endedAt),
      failure: failure && JSON.stringify(failure),
    })),
  };
  return Object.entries(fields).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [name, typeof value === 'string' ? value : JSON.stringify(value)];
  });
}

/** Of the field `bhHistory`. Times in ms; the failure as text, since Lua takes less JSON than there is. */
interface Ended extends Pick<AttemptView, 'attempt' | 'end' | 'worker'> {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly failure?: string;
}

function endedOf({ attempt, startedAt, endedAt, end, failure, worker }: Ended): AttemptView {
  return {
    attempt,
    startedAt: new Date(startedAt).toISOString(),
    endedAt: new Date(endedAt).toISOString(),
    end,
    ...(failure === undefined ? {} : { failure: JSON.parse(failure) as JobFailure }),
    ...(worker === undefined ? {} : { worker }),
  };
}

function fieldsOf(flat: Flat): Map<string, string> {
  const fields = new Map<string, string>();
  for (let at = 0; at < flat.length; at += 2) fields.set(flat[at] ?? '', flat[at + 1] ?? '');
  return fields;
}

function madeOf(fields: ReadonlyMap<string, string>): number {
  return Number(fields.get('atm') ?? 0);
}

function mostOf(fields: ReadonlyMap<string, string>): number {
  return parse<{ attempts?: number }>(fields.get('opts'))?.attempts ?? 1;
}

function parse<T>(text: string | undefined): T | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

function timeOf(ms: string | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(Number(ms)).toISOString();
}
