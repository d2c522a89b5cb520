import type {
  Durability,
  JobState,
  JobsAnswer,
  JobsErrorCode,
  JobsRequest,
  JobView,
} from '../../src/protocol/jobs.ts';

export interface FakeQueue {
  answer(request: JobsRequest): JobsAnswer;
  readonly jobs: JobView[];
  /** Every request, in order. */
  readonly asked: JobsRequest[];
  set(id: string, changes: Partial<JobView>): void;
  /** From now on everything is refused so; undefined: no more. */
  refusal: Extract<JobsAnswer, { ok: false }> | undefined;
  durability: Durability;
  /** Called after every request, to play the worker's part. */
  onAsked: (request: JobsRequest) => void;
}

const QUEUE_NOW = '2026-01-01T00:00:00.000Z';
const STATES: readonly JobState[] = ['created', 'retry', 'active', 'completed', 'cancelled', 'failed'];
const OVER: readonly JobState[] = ['completed', 'cancelled', 'failed'];

/** A queue in memory that runs nothing: what becomes of a job is what the test says. */
export function fakeQueue(types: readonly string[] = ['scrape', 'scrape-all', 'backup']): FakeQueue {
  const keys = new Map<string, string>();
  const paused = new Set<string>();
  const queue: FakeQueue = {
    jobs: [],
    asked: [],
    refusal: undefined,
    durability: 'durable',
    onAsked: () => {},
    set(id, changes) {
      const at = queue.jobs.findIndex((job) => job.id === id);
      const job = queue.jobs[at];
      if (job) queue.jobs[at] = { ...job, ...changes };
    },
    answer(request) {
      queue.asked.push(request);
      const answer = queue.refusal ?? work(request);
      queue.onAsked(request);
      return answer;
    },
  };

  function work(request: JobsRequest): JobsAnswer {
    if ('type' in request && request.type !== undefined && !types.includes(request.type)) {
      return refuse('unknown-type', `the plan has no job type ${request.type}`);
    }
    const job = 'id' in request ? queue.jobs.find(({ id }) => id === request.id) : undefined;
    if ('id' in request && job === undefined) return refuse('unknown-job', `there is no job ${request.id}`);
    switch (request.op) {
      case 'add':
        return add(request);
      case 'list': {
        const { state, type, limit = 50, cursor = '0' } = request;
        const found = queue.jobs
          .toReversed()
          .filter(
            (each) => (state?.includes(each.state) ?? true) && (type === undefined || each.type === type),
          );
        const end = Number(cursor) + limit;
        const more = end < found.length ? { cursor: String(end) } : {};
        return ok({ jobs: found.slice(Number(cursor), end), ...more });
      }
      case 'redrive': {
        const dead = queue.jobs.filter(
          ({ deadLetter, type }) => deadLetter && (request.type ?? type) === type,
        );
        for (const { id } of dead) queue.set(id, { state: 'created' });
        return ok({ count: dead.length });
      }
      case 'pause':
        paused.add(request.type ?? '');
        return status();
      case 'resume':
        paused.delete(request.type ?? '');
        return status();
      case 'status':
        return status();
      default:
        return job === undefined ? refuse('unknown-job', 'there is no such job') : change(request.op, job);
    }
  }

  function add(request: Extract<JobsRequest, { op: 'add' }>): JobsAnswer {
    const { type, data = null, priority = 0, singletonKey, idempotencyKey } = request;
    const known = queue.jobs.find(({ id }) => id === keys.get(`${type} ${idempotencyKey}`));
    if (known) return ok({ job: known, duplicate: true });
    const clash = queue.jobs.find((job) => job.singletonKey === singletonKey && !OVER.includes(job.state));
    if (singletonKey !== undefined && clash) {
      return { ...refuse('singleton', `${type} ${singletonKey} waits or runs already`), jobId: clash.id };
    }
    const number = (queue.jobs.length + 1).toString(16);
    const job: JobView = {
      id: `${number.repeat(8).slice(0, 8)}-0000-4000-8000-${number.padStart(12, '0')}`,
      type,
      state: 'created',
      priority,
      data,
      attempts: 0,
      maxAttempts: 3,
      createdAt: QUEUE_NOW,
      durability: queue.durability,
      ...(singletonKey === undefined ? {} : { singletonKey }),
      ...(request.startAfter === undefined ? {} : { startAfter: request.startAfter }),
    };
    queue.jobs.push(job);
    if (idempotencyKey !== undefined) keys.set(`${type} ${idempotencyKey}`, job.id);
    return ok({ job, duplicate: false });
  }

  function change(op: 'get' | 'cancel' | 'retry' | 'remove', job: JobView): JobsAnswer {
    const isOver = OVER.includes(job.state);
    const now = () => queue.jobs.find(({ id }) => id === job.id) ?? job;
    if (op === 'get') return ok(job);
    if (op === 'cancel') {
      if (isOver) return refuse('finished', `job ${job.id} is ${job.state} already`);
      const isActive = job.state === 'active';
      queue.set(job.id, isActive ? { cancelRequested: true } : { state: 'cancelled' });
      return ok({ job: now(), accepted: isActive ? 'later' : 'now' });
    }
    if (op === 'retry') {
      if (!isOver) return refuse('not-finished', `job ${job.id} is ${job.state}`);
      queue.set(job.id, { state: 'created' });
      return ok(now());
    }
    if (job.state === 'active') return refuse('active', `job ${job.id} runs`);
    queue.jobs.splice(queue.jobs.indexOf(job), 1);
    return ok(job);
  }

  function status(): JobsAnswer {
    const countOf = (type?: string) =>
      Object.fromEntries(
        STATES.map((state) => [
          state,
          queue.jobs.filter((job) => job.state === state && (type ?? job.type) === job.type).length,
        ]),
      ) as Record<JobState, number>;
    return ok({
      counts: countOf(),
      byType: Object.fromEntries(
        types.map((type) => {
          const counts = countOf(type);
          return [type, { counts, active: counts.active, concurrency: 3, paused: paused.has(type) }];
        }),
      ),
      store: { kind: 'postgres', durability: queue.durability, since: QUEUE_NOW },
      paused: paused.has(''),
      workers: [{ id: 'w1', host: 'box', active: 0, seenAt: QUEUE_NOW }],
    });
  }

  function ok(value: Extract<JobsAnswer, { ok: true }>['value']): JobsAnswer {
    return { ok: true, durability: queue.durability, value };
  }
  return queue;
}

export function refuse(code: JobsErrorCode, message: string): Extract<JobsAnswer, { ok: false }> {
  return { ok: false, code, message };
}
