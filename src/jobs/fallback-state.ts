/**
 * Which store the queue lives in: a pure machine, so that its patience can be tested in any order of events.
 *
 * `opening`: nobody has reached the durable store yet. `durable`: it serves. `away`: the memory stands in for it.
 * `returning`: what the memory took meanwhile goes over. Leaving takes three failures that are some seconds apart, so
 * that a restart of PostgreSQL is waited for; coming back takes half a minute without one, so that nothing flutters.
 */

export type Mode = 'opening' | 'durable' | 'away' | 'returning';

/** Milliseconds of the monotonic clock throughout. */
export interface SwitchState {
  readonly mode: Mode;
  readonly since: number;
  /** Those that count, since the last success. */
  readonly failures: readonly number[];
  /** Of `away`: no failure since then; undefined: no success yet. */
  readonly goodSince: number | undefined;
  readonly opened: boolean;
}

export type SwitchInput =
  /** The durable store answered. */
  | 'worked'
  | 'failed'
  | 'opened'
  /** All that the memory had is in the durable store. */
  | 'moved'
  | 'tick';

const FAILURES = 3;
const WINDOW_MS = 15_000;
/** Calls that fail together have one cause. */
const APART_MS = 4000;
const GOOD_MS = 30_000;
/** At a start nobody waits longer than this for a store that does not even say no. */
const OPEN_MS = 8000;

export function beginSwitch(now: number): SwitchState {
  return { mode: 'opening', since: now, failures: [], goodSince: undefined, opened: false };
}

/** A failure is not forgotten yet: nobody is sent there before it has answered. */
export function isSuspect({ mode, failures }: SwitchState): boolean {
  return mode === 'durable' && failures.length > 0;
}

export function stepSwitch(state: SwitchState, input: SwitchInput, now: number): SwitchState {
  switch (state.mode) {
    case 'opening':
      if (input === 'opened') return enter({ ...state, opened: true }, 'returning', now);
      if (input === 'failed') return leaveWhenEnough(count(state, now), now);
      return now - state.since >= OPEN_MS ? enter(state, 'away', now) : state;
    case 'durable':
      if (input === 'failed') return leaveWhenEnough(count(state, now), now);
      return input === 'worked' && state.failures.length > 0 ? { ...state, failures: [] } : state;
    case 'away':
      return stepAway(state, input, now);
    case 'returning':
      if (input === 'moved') return enter(state, 'durable', now);
      return input === 'failed' ? enter(state, 'away', now) : state;
  }
}

function stepAway(state: SwitchState, input: SwitchInput, now: number): SwitchState {
  const opened = state.opened || input === 'opened';
  if (input === 'failed') return { ...state, goodSince: undefined };
  const goodSince = input === 'tick' ? state.goodSince : (state.goodSince ?? now);
  const next = { ...state, opened, goodSince };
  return opened && goodSince !== undefined && now - goodSince >= GOOD_MS
    ? enter(next, 'returning', now)
    : next;
}

function count(state: SwitchState, now: number): SwitchState {
  const last = state.failures.at(-1);
  if (last !== undefined && now - last < APART_MS) return state;
  return { ...state, failures: [...state.failures.filter((at) => now - at <= WINDOW_MS), now] };
}

function leaveWhenEnough(state: SwitchState, now: number): SwitchState {
  return state.failures.length >= FAILURES ? enter(state, 'away', now) : state;
}

function enter(state: SwitchState, mode: Mode, now: number): SwitchState {
  return { ...state, mode, since: now, failures: [], goodSince: undefined };
}
