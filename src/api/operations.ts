/** What takes longer than a request: each has an id, tells how far it is, and is remembered for a while. */
import { randomUUID } from 'node:crypto';
import type { Role } from '../config/roles.ts';
import type { Progress } from '../protocol/status.ts';
import { Problem, type ProblemBody } from './problem.ts';

export interface OperationView {
  readonly id: string;
  /** The command it is: `backup run`. */
  readonly kind: string;
  /** What it is about: a service, a backup. */
  readonly about?: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  /** Who asked for it: `token deploy`. */
  readonly actor: string;
  /** The least that may begin it, and so end it. */
  readonly role: Role;
  /** ISO 8601 */
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly progress?: Progress;
  /** Remarks of its programs, oldest first. */
  readonly notes: readonly string[];
  /** As the command prints it with --json. */
  readonly result?: unknown;
  readonly failure?: Pick<ProblemBody, 'code' | 'detail' | 'remedy'>;
}

/** What an operation does. */
export interface Work {
  readonly kind: string;
  readonly about?: string;
  /** Resolves with its result; throws a Problem where it failed, and Cancelled where that was somebody's wish. */
  run(task: Task): Promise<unknown>;
}

/** What an operation is told, and tells by. */
export interface Task {
  /** As it was begun. */
  readonly view: OperationView;
  /** Somebody wants it to end. */
  readonly cancelled: AbortSignal;
  /** The API ends: nobody listens any more, and whatever PID 1 carries out goes on. */
  readonly left: AbortSignal;
  progressed(progress: Progress): void;
  noted(text: string): void;
  /** When it ended, ISO 8601, where somebody else knows that; else it ends when its work does. */
  endedAt(moment: string): void;
}

/** It was ended because somebody wanted it. */
export class Cancelled extends Error {
  /** What it said of that itself. */
  readonly told: Problem | undefined;
  constructor(told?: Problem) {
    super('it was cancelled');
    this.told = told;
  }
}

/** Who wants it. */
export type Asker = Pick<OperationView, 'actor' | 'role'>;

export interface Operations {
  /**
   * Begins it. Resolves when it has ended, or goes on after a moment; what is refused within that moment is thrown as
   * well.
   */
  begin(work: Work, asker: Asker): Promise<OperationView>;
  /** Takes up one of an earlier start of the API. Resolves when it has ended. */
  resume(view: OperationView, work: Work): Promise<void>;
  /** Newest first. */
  list(): readonly OperationView[];
  get(id: string): OperationView | undefined;
  /** Asks it to end, as Ctrl-C asks a command; false: it does not run. */
  cancel(id: string): boolean;
  /** Calls back whenever one has changed, at most once a second for its progress. Returns the way out. */
  follow(listener: (view: OperationView) => void): () => void;
  /** Listens to none any more, and takes no more. What PID 1 carries out goes on. */
  close(): Promise<void>;
}

const MOST_RUNNING = 16;
/** Of those that have ended. */
const MOST_REMEMBERED = 200;
const MOST_NOTES = 50;
/** So long a refusal may take that is told instead of an operation, ms. */
const GRACE_MS = 300;
const PROGRESS_MS = 1000;

interface Running {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export interface OperationPorts {
  /** Milliseconds of a clock that only goes on. */
  now(): number;
  /** Milliseconds since the epoch. */
  wallClock(): number;
  /** @param graceMs see GRACE_MS; of tests */
  readonly graceMs?: number;
}

export function createOperations({ now, wallClock, graceMs = GRACE_MS }: OperationPorts): Operations {
  const views = new Map<string, OperationView>();
  const running = new Map<string, Running>();
  const listeners = new Set<(view: OperationView) => void>();
  const leaving = new AbortController();

  function change(id: string, next: Partial<OperationView>, isTold = true): void {
    const old = views.get(id);
    if (old === undefined) return;
    const view = { ...old, ...next };
    views.set(id, view);
    if (isTold) for (const listener of listeners) listener(view);
  }

  function taskOf(view: OperationView, cancelled: AbortSignal): Task {
    const { id } = view;
    let toldAt = Number.NEGATIVE_INFINITY;
    return {
      view,
      cancelled,
      left: leaving.signal,
      progressed(progress) {
        const isDue = now() - toldAt >= PROGRESS_MS;
        if (isDue) toldAt = now();
        change(id, { progress }, isDue);
      },
      noted: (text) => change(id, { notes: [...(views.get(id)?.notes ?? []), text].slice(-MOST_NOTES) }),
      endedAt: (moment) => change(id, { endedAt: moment }, false),
    };
  }

  function forgetOldest(): void {
    const ended = [...views.values()].filter(({ state }) => state !== 'running');
    for (const { id } of ended.slice(0, Math.max(0, ended.length - MOST_REMEMBERED))) views.delete(id);
  }

  async function carryOut(view: OperationView, work: Work, stop: AbortController): Promise<void> {
    const { id } = view;
    const end = await work.run(taskOf(view, stop.signal)).then(
      (result): Partial<OperationView> => ({ state: 'done', result }),
      (error: unknown) => endOf(error, stop.signal.aborted),
    );
    running.delete(id);
    // How it ends is for the next start of the API to tell.
    if (leaving.signal.aborted) return;
    const { progress: _past, ...rest } = views.get(id) ?? view;
    views.set(id, rest);
    change(id, { ...end, endedAt: rest.endedAt ?? new Date(wallClock()).toISOString() });
    forgetOldest();
  }

  function follow(view: OperationView, work: Work): Promise<void> {
    const stop = new AbortController();
    views.set(view.id, view);
    change(view.id, {});
    const ended = carryOut(view, work, stop);
    running.set(view.id, { stop, ended });
    return ended;
  }

  return {
    async begin(work, { actor, role }) {
      if (leaving.signal.aborted || running.size >= MOST_RUNNING) {
        throw new Problem(503, 'too-many-operations', `${running.size} operations are under way`, {
          headers: { 'retry-after': '10' },
        });
      }
      const id = randomUUID();
      const { kind, about } = work;
      let refusal: unknown;
      const isEarly = Promise.withResolvers<void>();
      const watched: Work = {
        ...work,
        run: (task) =>
          work.run(task).catch((error: unknown) => {
            refusal = error;
            throw error;
          }),
      };
      const begun: OperationView = {
        id,
        kind,
        ...(about === undefined ? {} : { about }),
        state: 'running',
        actor,
        role,
        startedAt: new Date(wallClock()).toISOString(),
        notes: [],
      };
      const ended = follow(begun, watched);
      const timer = setTimeout(isEarly.resolve, graceMs);
      await Promise.race([ended, isEarly.promise]);
      clearTimeout(timer);
      const view = views.get(id);
      if (view === undefined) throw new Error('an operation is forgotten while it is begun');
      if (refusal instanceof Problem && isRefusal(refusal, leaving.signal.aborted)) throw refusal;
      return view;
    },
    resume: follow,
    list: () => [...views.values()].reverse(),
    get: (id) => views.get(id),
    cancel(id) {
      const found = running.get(id);
      found?.stop.abort();
      return found !== undefined;
    },
    follow(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      leaving.abort();
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}

/**
 * What never began, for somebody did not want it or was away; what began and failed is an operation that has ended.
 * Where it is us who leave, nobody being there says nothing of what began: who is told 503 would begin a second one.
 */
function isRefusal({ body: { status } }: Problem, isLeaving: boolean): boolean {
  return status < 500 || (status === 503 && !isLeaving);
}

function endOf(error: unknown, isCancelled: boolean): Partial<OperationView> {
  if (!(error instanceof Cancelled))
    return { state: isCancelled ? 'cancelled' : 'failed', failure: tell(error) };
  return { state: 'cancelled', ...(error.told === undefined ? {} : { failure: tell(error.told) }) };
}

function tell(error: unknown): NonNullable<OperationView['failure']> {
  if (!(error instanceof Problem)) return { code: 'internal', detail: 'a fault of ours; it is in the log' };
  const { code, detail, remedy } = error.body;
  return { code, detail, ...(remedy === undefined ? {} : { remedy }) };
}
