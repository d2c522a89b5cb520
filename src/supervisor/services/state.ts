/**
 * The model of one run (a service or a task), told before the table in machine.ts.
 *
 * Two axes: `wanted` is what people asked for, `phase` is what is true. "Restart" is no phase: it is `stopping` while
 * `wanted` is still up; what follows is decided when nothing lives any more.
 *
 *   down      not asked for, nothing lives            clearing  the leader is gone, others of its group still live
 *   waiting   asked for, its dependencies are not met backoff   it failed, the next try has a moment
 *   starting  spawned, not ready (a task: at work)    done      ended by itself, and that is well
 *   up        ready                                   failed    no more tries until a person asks (or the slow retry)
 *   stopping  the leader lives and is being signalled
 *
 * The leader's exit and the group's emptiness are two inputs: a child that outlives its leader still holds the port
 * the next generation needs, so nothing is spawned before `emptied`.
 */

import type { RestartPlan, RunPlan, Signal, StopLadder } from '../../config/plan-runs.ts';
import type { Exit, SignalTarget } from './ports.ts';
import type { Failures } from './restart-policy.ts';
import { noFailures } from './restart-policy.ts';

export type Phase =
  | 'down'
  | 'waiting'
  | 'starting'
  | 'up'
  | 'stopping'
  | 'clearing'
  | 'backoff'
  | 'done'
  | 'failed';

export type Cause =
  /** A person asked for stop, for restart; or everything is stopped. */
  | 'asked'
  | 'restart'
  | 'shutdown'
  /** It ended by itself: with exit 0; with anything else. */
  | 'finished'
  | 'crashed'
  /** It ended by itself with a code that its plan calls fatal. */
  | 'fatal'
  | 'unhealthy'
  | 'timeout'
  /** It said itself that it is stopping (sd_notify's STOPPING=1); how it ends will say what that was. */
  | 'announced'
  /** It could not be spawned; `missing`: because a program, folder or user is not there. */
  | 'spawn'
  | 'missing';

/** Why a generation ended or is ending. The first cause wins: what follows it in time is only its consequence. */
export interface Ending {
  readonly cause: Cause;
  /** For people, without a final stop: "exit 1", "no success in 3 checks". */
  readonly detail: string;
  /** Monotonic. */
  readonly at: number;
}

export interface State {
  readonly wanted: 'up' | 'down';
  readonly phase: Phase;
  /** Spawns so far. */
  readonly generation: number;
  /** The one deadline of the machine, monotonic; what it means depends on the phase. */
  readonly deadline: number | undefined;
  /** Monotonic moments of the current or last generation. */
  readonly spawnedAt: number | undefined;
  readonly readyAt: number | undefined;
  readonly endedAt: number | undefined;
  /** The system did start it: what `service_started` asks. */
  readonly spawned: boolean;
  /** Some generation was started by the system: its program exists. */
  readonly everSpawned: boolean;
  /** What a starting service still has to show before it is ready. */
  readonly awaits: Awaits;
  /** Why its check calls it down while it is left up; undefined: it is well. */
  readonly unhealthy: string | undefined;
  /** What makes it unhealthy is its own work on itself. */
  readonly isBusy?: boolean;
  readonly ending: Ending | undefined;
  readonly exit: Exit | undefined;
  /** The rung of the stop ladder that comes next. */
  readonly rung: number;
  /** Monotonic: the whole ladder must be climbed by then; its waits are cut to fit. */
  readonly stopBy: number | undefined;
  /** A person asked for a start while a failed generation was being cleared: no backoff after it. */
  readonly soon: boolean;
  readonly failures: Failures;
  /** Unintended ends since boot. */
  readonly restarts: number;
}

interface Awaits {
  /** Its own word: a ready fd or a line of its log. */
  readonly word: boolean;
  /** The first success of its health check. */
  readonly check: boolean;
}

/** What the machine must know of a run's plan. */
export interface Policy {
  readonly kind: 'service' | 'task';
  readonly critical: boolean;
  readonly awaits: Awaits;
  readonly onUnhealthy: 'restart' | 'exit' | 'ignore';
  /** ms from spawn to ready, for a task to its end; undefined: no limit. */
  readonly startTimeout: number | undefined;
  readonly restart: RestartPlan;
  readonly ladder: StopLadder;
  /** ms after which a run that gave up is tried again; undefined: never. */
  readonly slowRetry: number | undefined;
  readonly exitCodes: RunPlan['exitCodes'];
}

/** When an input arrives. Chance comes from outside too, so that a step is pure. */
export interface Moment {
  /** Monotonic, ms. */
  readonly now: number;
  /** 0 ≤ chance < 1 */
  readonly chance: number;
}

/** What each input carries besides its type. */
interface InputFields {
  wantUp: object;
  wantDown: { readonly by?: number; readonly hurried?: boolean };
  wantRestart: object;
  /** Everything is being stopped: nothing starts any more, but what lives is stopped in its turn (`wantDown`). */
  shutDown: object;
  dependenciesMet: object;
  spawned: { readonly generation: number };
  spawnFailed: { readonly generation: number; readonly detail: string; readonly missing: boolean };
  ready: { readonly generation: number };
  /** It said that it is stopping by itself. */
  announced: { readonly generation: number };
  /** It asked for time: from now on so many ms, for what it is doing. */
  extended: { readonly generation: number; readonly ms: number };
  checkUp: { readonly generation: number };
  /** `busy`: it is at work on itself, and a restart would make it begin anew. */
  checkDown: { readonly generation: number; readonly detail: string; readonly busy?: boolean };
  /** `told`: what the program itself said about its failure. */
  exited: { readonly generation: number; readonly exit: Exit; readonly told?: string };
  emptied: { readonly generation: number };
  deadline: object;
  hurry: object;
}

export type InputType = keyof InputFields;
export type Input<T extends InputType = InputType> = {
  [K in T]: { readonly type: K } & Readonly<InputFields[K]>;
}[T];

export type EndedCause = 'criticalGaveUp' | 'criticalUnhealthy' | 'taskFailed' | 'cannotStart';

export type Effect =
  | { readonly type: 'spawn' }
  /** `forced`: it is an escalation after which the stop was not a clean one. */
  | {
      readonly type: 'signal';
      readonly signal: Signal;
      readonly target: SignalTarget;
      readonly forced: boolean;
    }
  | { readonly type: 'checksWanted' | 'checksUnwanted' | 'becameReady' | 'finished' }
  /** It failed for good; `ended` says with which exit code the container would have to end, were it critical. */
  | { readonly type: 'gaveUp'; readonly ended: EndedCause }
  /** Its plan says that this ends the container. */
  | { readonly type: 'ended'; readonly ended: EndedCause }
  | { readonly type: 'impossible'; readonly input: InputType };

export interface Step {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export const initialState: State = {
  wanted: 'down',
  phase: 'down',
  generation: 0,
  deadline: undefined,
  spawnedAt: undefined,
  readyAt: undefined,
  endedAt: undefined,
  spawned: false,
  everSpawned: false,
  awaits: { word: false, check: false },
  unhealthy: undefined,
  ending: undefined,
  exit: undefined,
  rung: 0,
  stopBy: undefined,
  soon: false,
  failures: noFailures,
  restarts: 0,
};

/** Something of this generation may live: nothing else may be spawned. */
export function isLive(phase: Phase): boolean {
  return phase === 'starting' || phase === 'up' || phase === 'stopping' || phase === 'clearing';
}
