/**
 * The honest fallback: while the durable store is away the queue lives in memory and a journal, says so in every
 * answer, and goes back when the store has been good for a while. A job is in exactly one store: what was in the durable
 * one stays there, untouched, and what came meanwhile is handed over before anything new is claimed.
 */

import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { messageOf } from '../base/errors.ts';
import type { StoreStatus } from '../protocol/jobs.ts';
import { Bell } from './bell.ts';
import { Pauses } from './fallback-pauses.ts';
import { beginSwitch, isSuspect, type Mode, type SwitchInput, stepSwitch } from './fallback-state.ts';
import { Handover, type MemoryStore } from './handover.ts';
import { type Repeat, repeat } from './repeat.ts';
import { type JobStore, type Paused, StoreAway, StoreRefusal } from './store.ts';
import { within } from './within.ts';

export interface FallbackOptions {
  /** Undefined: the plan wants the memory alone. */
  readonly durable: JobStore | undefined;
  readonly memory: MemoryStore;
  readonly types: readonly string[];
  readonly clock: Clock;
  /** The durable store is open, and nobody has claimed anything there yet. */
  prepare(durable: JobStore): Promise<void>;
  /** From now on these are in the durable store, or may be. */
  handingOver(ids: readonly string[]): void;
  /** What the operator should know. */
  tell(text: string): void;
  /** Another store serves from now on. */
  changed(): void;
}

export interface AskOptions<T> {
  /** Milliseconds; else 5 s. */
  readonly limit?: number;
  /** An answer that came after everybody had given up. */
  readonly late?: (value: T) => void;
}

const ASK_MS = 5000;
/** Making a schema takes longer than asking for a job. */
const OPEN_MS = 20_000;
const PREPARE_MS = 20_000;
const PROBE_MS = 1000;
/** While the durable store serves and nothing is left anywhere else: whatever goes wrong then wakes us. */
const REST_MS = 60_000;

export class Fallback {
  readonly #options: FallbackOptions;
  readonly #handover: Handover | undefined;
  #state;
  #since: number;
  #reason: string | undefined;
  readonly #pauses = new Pauses();
  #wasAway = false;
  #prepared = false;
  #stopped = false;
  readonly #repeats: Repeat[] = [];
  readonly #bell: Bell;

  constructor(options: FallbackOptions) {
    this.#options = options;
    this.#bell = new Bell(options.clock);
    this.#state = beginSwitch(options.clock.mono());
    this.#since = options.clock.now();
    const { durable, memory, handingOver, tell } = options;
    if (!durable) return;
    this.#handover = new Handover({
      durable,
      memory,
      ask: (call, limit) => this.ask(durable, call, { limit }),
      handingOver,
      tell,
    });
  }

  /** Reads what an earlier life left in the journal, and goes for the durable store. */
  async start(): Promise<void> {
    const { memory, types, clock, durable } = this.#options;
    await memory.open(types);
    if (!durable) return this.#options.changed();
    this.#repeats.push(
      repeat(clock, 0, () => this.#probe(durable)),
      repeat(clock, PROBE_MS, async () => {
        this.#take('tick');
        if (this.current === durable && (await this.#handover?.rest())) this.#options.changed();
        return this.#pace;
      }),
    );
  }

  /** No more probing, and nobody waits any longer; the stores stay as they are. */
  stop(): void {
    this.#stopped = true;
    for (const each of this.#repeats) void each.stop();
    this.#bell.ring();
  }

  get mode(): Mode | 'alone' {
    return this.#options.durable ? this.#state.mode : 'alone';
  }

  get durable(): JobStore | undefined {
    return this.#options.durable;
  }

  get memory(): MemoryStore {
    return this.#options.memory;
  }

  /** Where jobs are added to and claimed from; undefined while that is not settled, which takes seconds. */
  get current(): JobStore | undefined {
    const { durable, memory } = this.#options;
    if (!durable || this.#state.mode === 'away') return memory;
    return this.#state.mode === 'durable' && !isSuspect(this.#state) ? durable : undefined;
  }

  /** True where the memory stands in for a store that should be there. */
  get isAway(): boolean {
    return this.mode === 'away';
  }

  /** @throws StoreAway after `ms` in which it was not settled which store serves. */
  async usable(ms: number): Promise<JobStore> {
    const { clock } = this.#options;
    const end = clock.mono() + ms;
    for (;;) {
      const store = this.current;
      if (store) return store;
      const left = end - clock.mono();
      if (left <= 0 || this.#stopped) throw new StoreAway(this.#reason ?? 'the store does not answer');
      await this.#bell.next(left);
    }
  }

  /** One call of a store. @throws StoreRefusal, or StoreAway for whatever else went wrong */
  async ask<S extends JobStore, T>(
    store: S,
    call: (store: S) => Promise<T>,
    { limit = ASK_MS, late }: AskOptions<T> = {},
  ): Promise<T> {
    const counts = store === (this.#options.durable as JobStore | undefined);
    const tooLate = (): Error => new StoreAway(`it did not answer within ${formatDuration(limit)}`);
    try {
      const value = await within(invoke(call, store), limit, this.#options.clock, tooLate, late);
      if (counts) this.#take('worked');
      return value;
    } catch (error) {
      if (error instanceof StoreRefusal) {
        if (counts) this.#take('worked');
        throw error;
      }
      if (counts) this.#take('failed', messageOf(error));
      throw error instanceof StoreAway ? error : new StoreAway(messageOf(error), error);
    }
  }

  /** What the durable store said of its pauses: they hold for the memory as well. */
  sawPaused(paused: Paused): void {
    if (this.mode === 'durable' || this.isAway) this.#pauses.saw(paused, this.isAway);
  }

  /** For status and every answer. @param waiting Jobs in memory that have not finished. */
  status(waiting: number): StoreStatus {
    const { durable, memory } = this.#options;
    const store = this.isAway ? memory : (durable ?? memory);
    const reason = this.isAway ? `${durable?.kind} is away: ${this.#reason}` : store.reason;
    return {
      kind: store.kind,
      durability: store.durability,
      since: new Date(this.#since).toISOString(),
      ...(reason === undefined ? {} : { reason }),
      ...(durable && waiting > 0 ? { pendingReturn: waiting } : {}),
    };
  }

  async #probe(durable: JobStore): Promise<number> {
    const { opened, mode } = this.#state;
    if (!opened) await this.#open(durable);
    else if (mode === 'away' || isSuspect(this.#state)) {
      await this.ask(durable, (store) => store.ping()).catch(() => undefined);
    }
    return this.#pace;
  }

  async #open(durable: JobStore): Promise<void> {
    const { clock, types } = this.#options;
    const tooLate = (): Error => new StoreAway(`it did not open within ${formatDuration(OPEN_MS)}`);
    try {
      await within(
        invoke((store) => store.open(types), durable),
        OPEN_MS,
        clock,
        tooLate,
      );
      this.#take('opened');
    } catch (error) {
      this.#take('failed', messageOf(error));
    }
  }

  /** The one place where the mode changes. */
  #take(input: SwitchInput, reason?: string): void {
    if (this.#stopped) return;
    if (reason !== undefined) this.#reason = reason;
    const before = this.#state.mode;
    this.#state = stepSwitch(this.#state, input, this.#options.clock.mono());
    const { mode } = this.#state;
    if (mode !== before) this.#entered(mode);
    for (const each of this.#repeats) each.hasten(this.#pace);
    this.#bell.ring();
  }

  get #pace(): number {
    const isCalm = this.#state.mode === 'durable' && !isSuspect(this.#state) && this.#options.memory.isEmpty;
    return isCalm ? REST_MS : PROBE_MS;
  }

  #entered(mode: Mode): void {
    const { durable, memory, clock, tell, changed } = this.#options;
    if (!durable) return;
    if (mode === 'returning') return void this.#return(durable);
    this.#since = clock.now();
    if (mode === 'away') {
      this.#wasAway = true;
      void this.#pauses.leave(memory).catch(() => undefined);
      tell(
        `jobs are kept in memory (${memory.durability}) until ${durable.kind} answers: ${this.#reason ?? 'it does not answer'}`,
      );
    } else if (this.#wasAway) {
      tell(`jobs are kept in ${durable.kind} again`);
      this.#wasAway = false;
    }
    changed();
  }

  async #return(durable: JobStore): Promise<void> {
    const { memory, prepare } = this.#options;
    try {
      if (!this.#prepared) await this.ask(durable, prepare, { limit: PREPARE_MS });
      this.#prepared = true;
      await this.#pauses.carryBack(memory, (call) => this.ask(durable, call));
      await this.#handover?.all();
      this.#take('moved');
    } catch (error) {
      this.#take('failed', messageOf(error));
    }
  }
}

/** What throws at once rejects as well. */
async function invoke<S, T>(call: (store: S) => Promise<T>, store: S): Promise<T> {
  return call(store);
}
