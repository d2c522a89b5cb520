/** Workers on one store, in a time that only a test moves: stores that fail, processes that do as they please. */
import type { Clock } from '../../src/base/clock.ts';
import type { JobsPlan, JobTypePlan } from '../../src/config/plan-jobs.ts';
import { type JobStore, StoreAway } from '../../src/jobs/store.ts';
import { MemoryStore } from '../../src/jobs/stores/memory.ts';
import { Worker } from '../../src/jobs/worker/worker.ts';
import type { AttemptEnded, JobEvent, JobsAnswer, JobsSummary } from '../../src/protocol/jobs.ts';
import { type ManualClock, manualClock } from '../support/clock.ts';
import { type LiveAttempt, Processes } from './processes.ts';

const KEEP = { completed: 7 * 86_400_000, failed: 30 * 86_400_000, most: 10_000 };

export function aType(name: string, more: Partial<JobTypePlan> = {}): JobTypePlan {
  return {
    name,
    concurrency: 2,
    timeout: 60_000,
    retries: 2,
    retryDelay: 1000,
    retryDelayMax: 10_000,
    priority: 0,
    singleton: false,
    requires: [],
    ...more,
  };
}

export function aPlan(types: readonly JobTypePlan[], more: Partial<JobsPlan> = {}): JobsPlan {
  return {
    types,
    store: 'postgres',
    redisUrl: undefined,
    prefix: 'bulkhead-test',
    prefixIsDefault: true,
    requireDurable: false,
    concurrency: 3,
    maxWaiting: 1000,
    keep: KEEP,
    drain: 1100,
    stopWithin: 2600,
    user: 'api',
    ...more,
  };
}

function memoryStore(clock: ManualClock): MemoryStore {
  return new MemoryStore({
    limits: {
      leaseMs: 30_000,
      maxWaiting: 1000,
      keep: { completedMs: KEEP.completed, failedMs: KEEP.failed, most: KEEP.most },
    },
    maxBytes: 16 * 1024 * 1024,
    journal: undefined,
    clock,
    note: () => undefined,
  });
}

/** `refuses`: nothing happens. `loses`: it happens, and nobody is told. `hangs`: so, for ever. `slow`: told after 4 s. */
export type Weather = 'good' | 'refuses' | 'loses' | 'hangs' | 'slow';

const CALM = { weather: 'good' } as const;

interface Member {
  worker: Worker;
  generation: number;
  weather: Weather;
  readonly memory: MemoryStore;
}

export class World {
  readonly clock = manualClock();
  /** What stands for PostgreSQL. */
  readonly shared = memoryStore(this.clock);
  readonly processes: Processes;
  readonly plan: JobsPlan;
  readonly said: string[] = [];
  readonly notes: string[] = [];
  readonly summaries: JobsSummary[] = [];
  readonly failures: Error[] = [];
  readonly events: JobEvent[] = [];
  readonly #members = new Map<string, Member>();
  readonly #durable: boolean;

  constructor(plan: JobsPlan, durable = true) {
    this.plan = plan;
    this.#durable = durable;
    this.processes = new Processes(plan, this.clock, (attempt, end) => this.end(attempt, end));
    if (durable) Object.defineProperty(this.shared, 'durability', { value: 'durable' });
    Object.defineProperty(this.shared, 'reason', { value: undefined });
  }

  member(name: string): Member {
    const member = this.#members.get(name);
    if (!member) throw new Error(`there is no worker ${name}`);
    return member;
  }

  weather(name: string, weather: Weather): void {
    this.member(name).weather = weather;
  }

  /** Starts a worker, or the next one of this name: as PID 1 does, when all that the last one ran is gone. */
  async up(name: string, weather: Weather = 'good'): Promise<Worker> {
    const before = this.#members.get(name);
    this.processes.forget(name);
    const generation = (before?.generation ?? 0) + 1;
    const member: Partial<Member> & Pick<Member, 'memory' | 'weather'> = {
      memory: before?.memory ?? memoryStore(this.clock),
      weather: before?.weather ?? weather,
      generation,
    };
    this.#members.set(name, member as Member);
    // In a journal that is read again nothing is active.
    await member.memory.sweep(name);
    const lives = (): boolean => this.member(name).generation === generation;
    const worker = new Worker({
      plan: this.plan,
      workerId: name,
      host: name,
      durable: this.#durable ? this.#connect(this.shared, member, lives) : undefined,
      memory: this.#connect(member.memory, CALM, lives),
      attempts: {
        start: (attempt, job, number, data) => {
          if (lives()) this.processes.start(name, attempt, job, number, data);
        },
        stop: (attempt, now) => {
          if (lives()) this.processes.stop(name, attempt, now);
        },
      },
      clock: whileAlive(this.clock, lives),
      random: () => 0.5,
      say: (text) => this.said.push(text),
      note: (text) => this.notes.push(text),
      summary: (summary) => this.summaries.push(summary),
      happened: (event) => this.events.push(event),
      failed: (error) => this.failures.push(error),
    });
    member.worker = worker;
    await worker.start();
    await turn();
    return worker;
  }

  /** kill -9: nothing of it does anything any more, and PID 1 ends what it ran. */
  crash(name: string): void {
    this.member(name).generation += 1;
    this.processes.forget(name);
  }

  /** The answer, within the ten seconds that PID 1 waits. */
  async ask(name: string, request: object): Promise<JobsAnswer> {
    let answer: JobsAnswer | undefined;
    void this.member(name)
      .worker.answer(request)
      .then((given) => {
        answer = given;
      });
    await turn();
    for (let waited = 0; answer === undefined && waited < 10_000; waited += 250) await this.pass(250);
    if (!answer) throw new Error(`no answer within 10 s: ${JSON.stringify(request)}`);
    return answer;
  }

  end(
    attempt: LiveAttempt,
    end: Partial<Omit<AttemptEnded, 'type' | 'attempt'>>,
    result?: { readonly value: unknown },
  ): void {
    if (!this.processes.take(attempt, end.code === 0)) return;
    const { worker } = this.member(attempt.worker);
    if (result) worker.heard(attempt.name, { type: 'result', value: result.value });
    worker.ended({ type: 'attempt-ended', attempt: attempt.name, code: null, signal: null, ...end });
  }

  /** Lets time pass in small steps, and all that follows from each happen. */
  async pass(ms: number, step = 250): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      this.clock.advance(Math.min(step, left));
      await turn();
    }
  }

  #connect(target: MemoryStore, member: Pick<Member, 'weather'>, lives: () => boolean): MemoryStore {
    const { clock } = this;
    const call = async (method: keyof JobStore, args: unknown[]): Promise<unknown> => {
      if (!lives()) return never();
      if (member.weather === 'refuses') throw new StoreAway('connection refused');
      const { weather } = member;
      const asked: (...all: unknown[]) => Promise<unknown> = Reflect.get(target, method).bind(target);
      const answer = await asked(...args);
      if (weather === 'loses') throw new StoreAway('connection terminated');
      if (weather === 'slow') await new Promise<void>((resolve) => void clock.after(4000, resolve));
      return weather === 'hangs' || !lives() ? never() : answer;
    };
    return new Proxy(target, {
      get: (_, name: keyof JobStore) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        // The one that needs no promise.
        if (Reflect.get(target, 'takeAll') === value) return value.bind(target);
        return (...args: unknown[]) => call(name, args);
      },
    });
  }
}

/** Everything that promises can still set off has happened: nothing here waits for the outside. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

function whileAlive(clock: ManualClock, lives: () => boolean): Clock {
  return {
    mono: () => clock.mono(),
    now: () => clock.now(),
    after: (ms, run) => clock.after(ms, () => lives() && run()),
  };
}
