import type { Clock } from '../../base/clock.ts';
import type { RunPlan } from '../../config/plan-runs.ts';
import type { CheckStatus, ServiceStatus } from '../../protocol/status.ts';
import { Exchange } from './exchange.ts';
import type { ServicesListener } from './listener.ts';
import { policyOf, SLOW_RETRY } from './policy.ts';
import type { Launcher } from './ports.ts';
import { isRestarting, isStopping } from './refusals.ts';
import { changesBetween, type RunChange } from './reload.ts';
import { Runner } from './runner.ts';
import { type ShutdownResult, ShutdownRun } from './shutdown-run.ts';
import { Starts } from './starts.ts';
import { type EndedCause, type Input, isLive } from './state.ts';
import { statusOf } from './status-of.ts';
import { TreeRestart } from './tree-restart.ts';
import { findUnits, isCovered, newUnit, sortUnits, type Unit } from './unit.ts';
import { Waiters } from './waiters.ts';
import { describeFailure } from './words.ts';

export interface ServicesOptions {
  readonly runs: readonly RunPlan[];
  /** ms from the signal to our own exit. */
  readonly stopTimeout: number;
  readonly launcher: Launcher;
  readonly clock: Clock;
  /** 0 ≤ random() < 1 */
  readonly random: () => number;
  readonly listener: ServicesListener;
  /** The last line a run wrote, asked for where it is not well. */
  readonly lastLine?: (name: string) => string | undefined;
  /** What the health room knows of its check. */
  readonly checkOf?: (name: string) => CheckStatus | undefined;
  /** Its runs start only when they are asked to: after a reload as well. */
  readonly idle?: boolean;
  /** ms after which an optional service that gave up is tried again; undefined: 10 minutes. */
  readonly slowRetry?: number;
}

/**
 * All runs of the plan. Commands only flip what is wanted and return; what comes of it is told to the listener and
 * seen in `statuses()`. A command changes the runs it names and no others: dependents of a run that is stopped or
 * restarted stay up, and a run whose dependency is stopped waits and says so.
 */
export class Services {
  readonly #options: ServicesOptions;
  readonly #units = new Map<string, Unit>();
  readonly #runner: Runner;
  readonly #waiters = new Waiters();
  readonly #starts: Starts;
  readonly #exchange: Exchange;
  #hasEnded = false;
  #shutdown: ShutdownRun | undefined;
  #tree: TreeRestart | undefined;

  constructor(options: ServicesOptions) {
    this.#options = options;
    for (const run of options.runs) this.#adopt(run);
    this.#runner = new Runner({
      ...options,
      blocked: (unit) => this.#starts.blocked(unit)?.reason,
      review: () => this.#review(),
      ended: (unit, effect) => {
        if (effect.type === 'gaveUp' && !unit.run.critical) return;
        if (isCovered(unit, this.#units.values())) return;
        const what = effect.type === 'gaveUp' ? describeFailure(unit.state, unit.run) : unit.state.unhealthy;
        this.#end(effect.ended, unit.name, what ?? '');
      },
    });
    this.#starts = new Starts({
      units: this.#units,
      clock: options.clock,
      runner: this.#runner,
      hasEnded: () => this.#hasEnded,
      end: (...ending) => this.#end(...ending),
    });
    this.#exchange = new Exchange({
      clock: options.clock,
      units: this.#units,
      adopt: (run) => this.#adopt(run),
      send: (units, input) => {
        if (!options.idle || input.type === 'wantDown') this.#runner.send(units, input);
      },
      halted: (...words) => this.#runner.tell('rollHalted', ...words),
    });
  }

  /** Inputs that should never have come: internal errors that were survived. */
  get impossible(): number {
    return this.#runner.impossible;
  }

  /** A run whose deadline passed `ms` ago or longer without anything coming of it: the machine stands still. */
  overdue(ms: number): string | undefined {
    const latest = this.#options.clock.mono() - ms;
    return [...this.#units.values()].find(({ state }) => state.deadline && state.deadline < latest)?.name;
  }

  get names(): readonly string[] {
    return [...this.#units.keys()];
  }

  startAll(): void {
    this.#starts.begin();
    this.#runner.send(this.#units.values(), { type: 'wantUp' });
  }

  /** Also a start now for one in backoff, with its failures forgotten for one that gave up. A task that is done stays so. */
  start(names: readonly string[]): void {
    this.#command('start', names, { type: 'wantUp' });
  }

  stop(names: readonly string[]): void {
    this.#tree?.leaveStopped(names);
    this.#command('stop', names, { type: 'wantDown' });
  }

  /** Starts what is stopped, runs a task again; never counts as a failure. */
  restart(names: readonly string[]): void {
    this.#command('restart', names, { type: 'wantRestart' });
  }

  /**
   * Stops these and all that depends on them, dependents first, then starts what was up before in the order of its
   * dependencies; tasks run again. Returns their names. Never counts as a failure.
   */
  restartTree(names: readonly string[]): readonly string[] {
    const named = findUnits(this.#units, 'restart', names);
    this.#refuseWhileStopping(`restart ${names.join(', ')}`);
    if (this.#tree !== undefined) throw isRestarting(`restart ${names.join(', ')}`);
    this.#tree = new TreeRestart(this.#units, named, (units, input) => this.#runner.send(units, input));
    return this.#tree.begin();
  }

  /** The check went up: its first success, or the first after it was down. Saying it again does no harm. */
  checkPassed(name: string, generation: number): void {
    this.#about(name, { type: 'checkUp', generation });
  }

  /** The check went down: `retries` failures in a row, after its start period. `reason` without a final stop. */
  checkFailed(name: string, generation: number, reason: string): void {
    this.#about(name, { type: 'checkDown', generation, detail: reason });
  }

  /** It is at work on itself: shown as it is, and left alone. */
  checkBusy(name: string, generation: number, what: string): void {
    this.#about(name, { type: 'checkDown', generation, detail: what, busy: true });
  }

  /** A line of its log matched `ready.log`. */
  logMatched(name: string, generation: number): void {
    this.#about(name, { type: 'ready', generation });
  }

  statuses(): readonly ServiceStatus[] {
    return [...this.#units.values()].map((unit) => this.#statusOf(unit));
  }

  /** undefined: no such run. */
  status(name: string): ServiceStatus | undefined {
    const unit = this.#units.get(name);
    return unit && this.#statusOf(unit);
  }

  /** Resolves as soon as the test holds, asked now and after every change; rejects when the signal aborts. */
  until(test: (services: Services) => boolean, signal?: AbortSignal): Promise<void> {
    return this.#waiters.until(() => test(this), signal);
  }

  /** What `applyPlan` would do. */
  changesTo(runs: readonly RunPlan[]): readonly RunChange[] {
    const now = [...this.#units.values()].filter((unit) => !unit.leaving).map((unit) => unit.run);
    return changesBetween(now, runs);
  }

  /**
   * Takes the next plan over as a whole: removed runs stop and are forgotten, new ones start, changed services restart
   * where their process has to notice, replicas one after the other. What a person stopped stays stopped.
   */
  applyPlan(runs: readonly RunPlan[]): readonly RunChange[] {
    this.#refuseWhileStopping('reload');
    const changes = this.changesTo(runs);
    this.#exchange.apply(runs, changes);
    sortUnits(this.#units, runs);
    return changes;
  }

  /**
   * Stops everything in order and within the budget; asked again, the same promise. Resolves when nothing lives, or
   * when the budget is spent: the container's end takes whoever is left.
   */
  shutdown(): Promise<ShutdownResult> {
    if (this.#shutdown !== undefined) return this.#shutdown.over;
    this.#exchange.cancel();
    const { clock, stopTimeout } = this.#options;
    this.#shutdown = new ShutdownRun({
      units: this.#units,
      clock,
      total: stopTimeout,
      ask: (unit, by, hurried) => this.#runner.send([unit], { type: 'wantDown', by, hurried }),
    });
    this.#runner.send(this.#units.values(), { type: 'shutDown' });
    return this.#shutdown.over;
  }

  /** A second signal: SIGKILL at once, where a share is reserved the next rung. Asked again, or with no shutdown: nothing. */
  hurry(): void {
    if (this.#shutdown?.hurry() === true) this.#runner.send(this.#units.values(), { type: 'hurry' });
  }

  #command(verb: string, names: readonly string[], input: Input): void {
    const units = findUnits(this.#units, verb, names);
    if (input.type !== 'wantDown') this.#refuseWhileStopping(`${verb} ${names.join(', ')}`);
    this.#runner.send(units, input);
  }

  #refuseWhileStopping(what: string): void {
    if (this.#shutdown !== undefined) throw isStopping(what);
  }

  #about(name: string, input: Input): void {
    const unit = this.#units.get(name);
    if (unit !== undefined) this.#runner.send([unit], input);
  }

  /** What follows from the state of all of them, asked whenever one has changed. */
  #review(): void {
    if (this.#shutdown === undefined) {
      this.#forgetRemoved();
      this.#exchange.review();
      if (this.#tree?.review() === true) this.#tree = undefined;
      this.#starts.review();
    } else {
      this.#shutdown.review();
    }
    this.#waiters.check();
  }

  #end(cause: EndedCause, service: string, reason: string): void {
    if (this.#hasEnded || this.#shutdown !== undefined) return;
    this.#hasEnded = true;
    this.#runner.tell('ended', { cause, service, reason });
  }

  /** A run of the plan: a new unit, or its new settings for the one there is. */
  #adopt(run: RunPlan): void {
    const { slowRetry = SLOW_RETRY, clock } = this.#options;
    const unit = this.#units.get(run.name);
    if (unit === undefined) {
      this.#units.set(run.name, newUnit(run, slowRetry, clock.now()));
      return;
    }
    unit.run = run;
    unit.policy = policyOf(run, slowRetry);
  }

  #forgetRemoved(): void {
    for (const unit of this.#units.values()) {
      if (!unit.leaving || isLive(unit.state.phase)) continue;
      unit.timer?.disarm();
      this.#units.delete(unit.name);
    }
  }

  #statusOf(unit: Unit): ServiceStatus {
    const { clock, lastLine, checkOf } = this.#options;
    const { state, run, name } = unit;
    return statusOf(state, run, {
      blocked: state.phase === 'waiting' ? this.#starts.blocked(unit)?.reason : undefined,
      pid: state.phase === 'clearing' ? undefined : unit.incarnation?.pid,
      since: unit.since,
      exitedAt: unit.exitedAt,
      progress: unit.progress,
      check: checkOf?.(name),
      lastLine: lastLine && (() => lastLine(name)),
      mono: clock.mono(),
      wall: clock.now(),
    });
  }
}
