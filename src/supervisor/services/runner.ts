/**
 * Carries the machine's decisions out. The one door through which state is written: every input goes through `send`,
 * one after the other, so a listener or a signal that answers at once can never interleave with a step.
 */

import type { Clock } from '../../base/clock.ts';
import { codeOf, Failure, messageOf } from '../../base/errors.ts';
import type { Report } from '../../protocol/channel.ts';
import { UpExit } from '../../protocol/exit-codes.ts';
import type { ServicesListener } from './listener.ts';
import { step } from './machine.ts';
import type { IncarnationEvents, Launcher } from './ports.ts';
import type { Effect, Input, State } from './state.ts';
import type { Unit } from './unit.ts';
import { describeFailure, reasonOf, wordOf } from './words.ts';

/** The longest a timer of Node can be set for; longer deadlines are armed again. */
const LONGEST_TIMER = 2 ** 31 - 1;

export interface RunnerOptions {
  readonly launcher: Launcher;
  readonly clock: Clock;
  /** 0 ≤ random() < 1 */
  readonly random: () => number;
  readonly listener: ServicesListener;
  /** The sentence of what keeps a run from starting. */
  readonly blocked: (unit: Unit) => string | undefined;
  /** Called when no input is left; may send more. */
  readonly review: () => void;
  readonly ended: (unit: Unit, effect: Extract<Effect, { ended: unknown }>) => void;
}

export class Runner {
  /** Inputs that should never have come; each was logged. */
  impossible = 0;
  readonly #options: RunnerOptions;
  readonly #queue: { readonly unit: Unit; readonly input: Input }[] = [];
  #isRunning = false;

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  /** Feeds one input to each unit, then everything that follows from it. */
  send(units: Iterable<Unit>, input: Input): void {
    for (const unit of units) this.#queue.push({ unit, input });
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      do {
        for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
          this.#apply(next.unit, next.input);
        }
        this.#options.review();
      } while (this.#queue.length > 0);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Calls a listener; one that throws is reported and can break nothing. */
  tell<K extends keyof ServicesListener>(
    event: K,
    ...words: Parameters<NonNullable<ServicesListener[K]>>
  ): void {
    const { listener } = this.#options;
    try {
      const call = listener[event] as ((...words: unknown[]) => void) | undefined;
      call?.apply(listener, words);
    } catch (error) {
      if (event !== 'misbehaved')
        this.tell('misbehaved', `a listener of ${event} threw: ${messageOf(error)}`);
    }
  }

  #apply(unit: Unit, input: Input): void {
    const before = unit.state;
    const { clock, random } = this.#options;
    // What was queued before it may have moved the deadline it speaks of.
    if (input.type === 'deadline' && (before.deadline === undefined || before.deadline > clock.mono()))
      return;
    const { state, effects } = step(before, input, unit.policy, { now: clock.mono(), chance: random() });
    unit.state = state;
    this.#arm(unit);
    this.#announce(unit, before, input);
    for (const effect of effects) this.#carryOut(unit, effect);
  }

  #announce(unit: Unit, before: State, input: Input): void {
    const { clock } = this.#options;
    const { state } = unit;
    if (input.type === 'exited' && state.phase !== before.phase) {
      unit.exitedAt = clock.now();
      const cause = state.ending?.cause;
      const asked = cause === 'asked' || cause === 'restart' || cause === 'shutdown';
      this.tell('exited', unit.name, input.generation, input.exit, asked, cause);
    }
    if ((input.type === 'emptied' || input.type === 'spawnFailed') && state.phase !== before.phase) {
      unit.incarnation = undefined;
      if (input.type === 'emptied') this.tell('emptied', unit.name, input.generation);
      else this.tell('startFailed', unit.name, input.generation, input.detail);
    }
    const word = wordOf(state, unit.run.kind);
    if (word === unit.word) return;
    const from = unit.word;
    unit.word = word;
    unit.since = clock.now();
    this.tell(
      'changed',
      unit.name,
      from,
      word,
      reasonOf(state, unit.run, this.#options.blocked(unit), clock.mono()),
    );
  }

  #carryOut(unit: Unit, effect: Effect): void {
    const { name, state } = unit;
    switch (effect.type) {
      case 'spawn':
        this.#spawn(unit);
        break;
      case 'signal':
        this.#signal(unit, effect);
        break;
      case 'gaveUp':
        this.tell('gaveUp', name, describeFailure(state, unit.run));
        this.#options.ended(unit, effect);
        break;
      case 'ended':
        this.#options.ended(unit, effect);
        break;
      case 'impossible':
        this.impossible += 1;
        this.tell('misbehaved', `internal error: ${name} got ${effect.input} while ${state.phase}`);
        break;
      default:
        this.tell(effect.type, name, state.generation);
    }
  }

  #spawn(unit: Unit): void {
    const { generation } = unit.state;
    unit.incarnation = undefined;
    unit.forced = false;
    unit.told = undefined;
    unit.progress = undefined;
    const events = this.#eventsOf(unit, generation);
    try {
      const { incarnation } = this.#options.launcher.launch(unit.run, generation, events);
      if (incarnation === undefined) return;
      unit.incarnation = incarnation;
      this.tell('spawned', unit.name, generation, incarnation.pid);
      // Before anything that waits in the queue: what came in meanwhile speaks of a process that is there.
      this.#apply(unit, { type: 'spawned', generation });
    } catch (error) {
      this.tell('misbehaved', `internal error: the launcher threw: ${messageOf(error)}`);
      events.failed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #eventsOf(unit: Unit, generation: number): IncarnationEvents {
    return {
      failed: (error) => {
        this.send([unit], {
          type: 'spawnFailed',
          generation,
          detail: sentenceOf(error),
          missing: isMissing(error),
        });
      },
      ready: () => this.send([unit], { type: 'ready', generation }),
      announced: () => this.send([unit], { type: 'announced', generation }),
      extended: (ms) => this.send([unit], { type: 'extended', generation, ms }),
      report: (report) => this.#hear(unit, generation, report),
      exited: (exit) => {
        const told = unit.state.generation === generation ? unit.told : undefined;
        this.send([unit], { type: 'exited', generation, exit, ...(told === undefined ? {} : { told }) });
      },
      emptied: () => this.send([unit], { type: 'emptied', generation }),
    };
  }

  #hear(unit: Unit, generation: number, report: Report): void {
    if (generation === unit.state.generation) {
      if (report.type === 'progress') unit.progress = report.progress;
      if (report.type === 'failure') unit.told = withRemedy(report.message, report.remedy);
    }
    this.tell('reported', unit.name, generation, report);
  }

  #signal(unit: Unit, effect: Extract<Effect, { type: 'signal' }>): void {
    try {
      const reached = unit.incarnation?.signal(effect.signal, effect.target) ?? 0;
      if (effect.forced && reached > 0) unit.forced = true;
    } catch (error) {
      this.tell('misbehaved', `cannot send ${effect.signal} to ${unit.name}: ${messageOf(error)}`);
    }
  }

  /** One timer per unit, always for the deadline its state has now. */
  #arm(unit: Unit): void {
    const { deadline } = unit.state;
    if (unit.timer?.deadline === deadline) return;
    unit.timer?.disarm();
    unit.timer = undefined;
    if (deadline === undefined) return;
    const { clock } = this.#options;
    const disarm = clock.after(Math.min(LONGEST_TIMER, Math.max(0, deadline - clock.mono())), () => {
      unit.timer = undefined;
      // A timer may ring a moment early; the deadline is what counts.
      if (clock.mono() < deadline) this.#arm(unit);
      else this.send([unit], { type: 'deadline' });
    });
    unit.timer = { deadline, disarm };
  }
}

function sentenceOf(error: Error): string {
  return withRemedy(error.message, error instanceof Failure ? error.remedy : undefined);
}

function withRemedy(message: string, remedy: string | undefined): string {
  return remedy === undefined ? message : `${message}; ${remedy}`;
}

/** A program, folder or user that is not there or may not be used: waiting will not bring it. */
function isMissing(error: Error): boolean {
  const code = codeOf(error);
  if (error instanceof Failure && error.exitCode === UpExit.cannotStart) return true;
  return code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR';
}
