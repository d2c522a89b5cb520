/**
 * The worker: claims what there is room for, has PID 1 run it, and tells the store how it ended. Everything it knows of
 * the world comes through its ports, so that any order of events can be tried without a process or a database.
 */
import type { Clock } from '../../base/clock.ts';
import type { JobsPlan } from '../../config/plan-jobs.ts';
import type { AttemptEnded, AttemptLine, JobEvent, JobsAnswer, JobsSummary } from '../../protocol/jobs.ts';
import { Fallback } from '../fallback.ts';
import type { MemoryStore } from '../handover.ts';
import type { Claim, JobStore } from '../store.ts';
import { within } from '../within.ts';
import { Adder } from './adder.ts';
import { Children, type EnqueueLine } from './children.ts';
import { Claims } from './claims.ts';
import { findJsonProblem } from './json-limits.ts';
import { Leases } from './leases.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import type { Attempts, Say } from './ports.ts';
import { readProgress } from './read-progress.ts';
import { Relay } from './relay.ts';
import { nameOf, type Run } from './run.ts';
import { Runs } from './runs.ts';
import { sayOutcome } from './say-outcome.ts';
import { Settler } from './settle.ts';
import { Tallies } from './tallies.ts';
import { Tidings } from './tidings.ts';
import { Upkeep } from './upkeep.ts';

export interface WorkerOptions {
  readonly plan: JobsPlan;
  readonly workerId: string;
  readonly host: string;
  /** Undefined: the memory is what the plan wants. */
  readonly durable: JobStore | undefined;
  readonly memory: MemoryStore;
  readonly attempts: Attempts;
  readonly clock: Clock;
  /** From 0 to below 1. */
  random(): number;
  say: Say;
  /** What the operator should know. */
  note: Say;
  summary(summary: JobsSummary): void;
  happened(event: JobEvent): void;
  /** The store can be reached and yet cannot be worked with: only a new start may help. */
  failed(error: Error): void;
}

/** To tell the store of the last ends, and of our own. */
const SETTLE_MS = 1000;
const LEAVE_MS = 500;
const CHILD_PAUSE_MS = 1000;

/** What a stop takes at most, in ms. */
export function stopTime({ stopWithin }: Pick<JobsPlan, 'stopWithin'>): number {
  return stopWithin + SETTLE_MS + LEAVE_MS;
}

export class Worker {
  readonly #options: WorkerOptions;
  readonly #fallback: Fallback;
  readonly #runs: Runs;
  readonly #settler: Settler;
  readonly #claims: Claims;
  readonly #leases: Leases;
  readonly #adder: Adder;
  readonly #relay: Relay;
  readonly #upkeep: Upkeep;
  readonly #tallies = new Tallies();
  readonly #tidings: Tidings;
  readonly #children = new WeakMap<Run, Children>();
  /** Claims that were not begun, on their way back. */
  readonly #givenBack = new Set<Promise<boolean>>();
  #stopping = false;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { plan, clock, attempts, workerId, durable, memory } = options;
    const refuse = (claim: Claim, store: JobStore): void => {
      const back = this.#settler.settle(store, claim, { kind: 'released' });
      this.#givenBack.add(back);
      void back.finally(() => {
        this.#givenBack.delete(back);
        this.#claims.soon();
      });
    };
    const fallback = new Fallback({
      durable,
      memory,
      types: plan.types.map(({ name }) => name),
      clock,
      // PID 1 ended all attempts of the worker before us: their jobs need not wait until a lease runs out.
      prepare: async (store) => {
        const { expired } = await store.sweep(workerId);
        for (const job of expired) options.say(`${nameOf(job)}: its worker had ended, now ${job.state}`);
        // Others are told what we add only once we are among them.
        await store.beat({ id: workerId, host: options.host, active: 0 });
      },
      handingOver: (ids) => this.#adder.areElsewhere(ids),
      tell: options.note,
      changed: () => this.#moved(),
    });
    const runs = new Runs({
      types: plan.types,
      clock,
      attempts,
      began: (run) => this.#tidings.started(run),
      ended: (run) => void this.#end(run),
      refuse,
      changed: () => this.#changed(),
    });
    this.#tidings = new Tidings(clock, options.happened);
    this.#fallback = fallback;
    this.#runs = runs;
    this.#settler = new Settler(fallback, clock);
    this.#claims = new Claims({ plan, workerId, fallback, runs, clock, refuse });
    this.#leases = new Leases(runs, fallback, clock);
    this.#adder = new Adder({ plan, fallback, clock, added: () => this.#changed() });
    const describe = { plan, fallback, runs, tallies: this.#tallies, now: () => clock.now() };
    this.#relay = new Relay({ ...describe, clock, adder: this.#adder, poke: () => this.#changed() });
    this.#upkeep = new Upkeep({ ...options, describe, expired: () => this.#changed() });
    durable?.herald?.onRing(() => this.#changed());
  }

  /** @throws what the journal of an earlier life cannot be read for */
  async start(): Promise<void> {
    await this.#fallback.start();
  }

  /** PID 1 says that nothing of an attempt lives any more. */
  ended(end: AttemptEnded): void {
    this.#runs.ended(end);
  }

  /** What a live attempt said on its descriptor 3: JSON of others. */
  heard(attempt: string, line: Partial<AttemptLine>): void {
    const run = this.#runs.named(attempt);
    if (!run) return;
    if (line.type === 'progress') {
      run.progress = readProgress(line);
      run.progressIsNew = true;
      this.#tidings.progressed(run);
    } else if (line.type === 'result') {
      const { value = null } = line;
      const problem = findJsonProblem('its result', value);
      if (problem) run.refused ??= problem.message;
      else run.result = { value };
    } else if (line.type === 'enqueue' && typeof line.job === 'string') {
      this.#childrenOf(run).take(line as EnqueueLine);
    }
  }

  answer(request: unknown): Promise<JobsAnswer> {
    return this.#relay.answer(request);
  }

  /** Claims no more, lets what is active go on for the drain, then puts back what is left. At most `stopTime`. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const claimed = this.#claims.stop();
    const runs = this.#runs;
    const { drain, stopWithin } = this.#options.plan;
    await runs.none('live', drain);
    for (const run of runs.live) runs.feed(run, 'shutdown');
    await runs.none('live', stopWithin - drain);
    for (const run of runs.live) runs.feed(run, 'kill');
    for (const run of runs.all) this.#children.get(run)?.giveUp();
    const settled = Promise.all([
      runs.none('all', SETTLE_MS),
      claimed.then(() => Promise.all(this.#givenBack)),
    ]);
    await within(settled, SETTLE_MS, this.#options.clock, () => new Error('too late')).catch(() => undefined);
    this.#settler.giveUp();
    this.#leases.stop();
    await this.#upkeep.leave(LEAVE_MS);
    this.#fallback.stop();
  }

  async #end(run: Run): Promise<void> {
    const { clock, random, say } = this.#options;
    if (run.end?.tooEarly) this.#claims.hold(run.type.name);
    const outcome = await this.#outcomeOf(run, clock, random());
    const ms = clock.mono() - run.startedAt;
    run.settling = true;
    const told = await this.#settler.settle(run.store, withProgress(run), outcome);
    if (told) this.#tallies.count(run.type.name, outcome, ms);
    say(sayOutcome(run, outcome, told, clock.now()));
    this.#tidings.ended(run, outcome, told);
    this.#runs.feed(run, 'settled');
  }

  async #outcomeOf(run: Run, clock: Clock, random: number): Promise<Outcome> {
    const children = this.#children.get(run);
    const { why } = run.state;
    if (children && why !== 'lost' && why !== 'cancel') {
      // Neither done nor failed: what it asked for is not in the queue, and its store is not to blame it.
      if (!(await children.done())) return { kind: 'released' };
      run.refused ??= children.refused;
    }
    const { claim, type, end, result, refused } = run;
    if (!end) throw new Error(`attempt ${run.name} has not ended`);
    return outcomeOf({ claim, type, end, why, result, refused }, clock.now(), random);
  }

  #childrenOf(run: Run): Children {
    const known = this.#children.get(run);
    if (known) return known;
    const { clock } = this.#options;
    const children = new Children({
      parent: run.claim.id,
      round: run.claim.round,
      add: (request, scope) => this.#adder.add(request, scope),
      pause: () => new Promise((resolve) => void clock.after(CHILD_PAUSE_MS, resolve)),
    });
    this.#children.set(run, children);
    return children;
  }

  #changed(): void {
    this.#claims.poke();
    this.#leases.watch();
    this.#upkeep.changed();
  }

  /** Another store serves. */
  #moved(): void {
    this.#claims.poke();
    this.#upkeep.moved();
  }
}

function withProgress({ claim, progress }: Run): Claim {
  return progress === undefined ? claim : { ...claim, progress };
}
