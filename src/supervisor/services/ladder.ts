/** The stop ladder: a signal, a wait, the next signal; the last is SIGKILL to everything. */
import type { Effect, Moment, Policy, State, Step } from './state.ts';

/** SIGKILL is sent again after this: a process may have forked between our look and our signal. ms */
const KILL_AGAIN = 1000;

/** Sends the rung that is next and sets the deadline of the one after it. The phase stays. */
export function climb(state: State, policy: Policy, moment: Moment): Step {
  const { rungs } = policy.ladder;
  const index = Math.min(state.rung, rungs.length - 1);
  const isLast = index >= rungs.length - 1;
  return {
    state: {
      ...state,
      rung: index + 1,
      deadline: moment.now + (isLast ? KILL_AGAIN : cutWait(state, policy, index, moment.now)),
    },
    effects: rungSignal(state, policy, index),
  };
}

/** Of a stop that asks for time again and again, all together. ms */
const LONGEST_STOP = 600_000;

/** The rung that was sent gets more time, never less: within the budget of the whole stop, and not after SIGKILL. */
export function extendRung(state: State, policy: Policy, until: number): State {
  const { deadline, stopBy = Number.POSITIVE_INFINITY, ending } = state;
  if (deadline === undefined || state.rung >= policy.ladder.rungs.length) return state;
  const latest = Math.min(stopBy, (ending?.at ?? deadline) + LONGEST_STOP);
  return { ...state, deadline: Math.max(deadline, Math.min(until, latest)) };
}

/** Straight to the harshest that is decent: SIGKILL, but the next rung where a share of the budget is reserved. */
export function hurryUp(state: State, policy: Policy, moment: Moment): Step {
  const rung = policy.ladder.reserve > 0 ? state.rung : policy.ladder.rungs.length - 1;
  return climb({ ...state, rung: Math.max(rung, state.rung) }, policy, moment);
}

/** The leader is gone and others of its family live, escapees included: they are told what the leader was told last. */
export function tellSurvivors(state: State, policy: Policy): readonly Effect[] {
  return rungSignal({ ...state, phase: 'clearing' }, policy, Math.max(0, state.rung - 1));
}

/** A later, tighter budget reached a ladder that is being climbed: what is left of its waits is cut to fit. */
export function cutToFit(state: State, policy: Policy, now: number): number | undefined {
  const { stopBy, deadline } = state;
  if (stopBy === undefined || deadline === undefined || state.rung >= policy.ladder.rungs.length)
    return deadline;
  const left = Math.max(0, deadline - now);
  return now + left * shareOf(stopBy - now, left + waitsFrom(policy, state.rung));
}

function cutWait(state: State, policy: Policy, index: number, now: number): number {
  const wait = policy.ladder.rungs[index]?.wait ?? 0;
  return state.stopBy === undefined ? wait : wait * shareOf(state.stopBy - now, waitsFrom(policy, index));
}

/** All waits shrink by the same factor, so that no rung loses its chance to one before it. */
function shareOf(available: number, needed: number): number {
  return needed <= 0 ? 0 : Math.min(1, Math.max(0, available) / needed);
}

function waitsFrom(policy: Policy, index: number): number {
  const { rungs } = policy.ladder;
  return rungs.slice(index, Math.max(index, rungs.length - 1)).reduce((sum, rung) => sum + rung.wait, 0);
}

function rungSignal(state: State, policy: Policy, index: number): readonly Effect[] {
  const { rungs, target } = policy.ladder;
  const rung = rungs[index];
  const isLast = index >= rungs.length - 1;
  if (rung === undefined || isLast) {
    // The only rung of a ladder is what its plan asked for, not an escalation.
    return [
      { type: 'signal', signal: rung?.signal ?? 'SIGKILL', target: 'everything', forced: rungs.length > 1 },
    ];
  }
  const leaderLives = state.phase !== 'clearing';
  // PostgreSQL's backends end by themselves when their postmaster is gone; a signal to them all would do harm.
  if (!leaderLives && target === 'leader') return [];
  // SIGQUIT is PostgreSQL's "immediate": it recovers at its next start, so the stop was not clean.
  const forced = index > 0 && (rung.signal === 'SIGKILL' || rung.signal === 'SIGQUIT');
  return [{ type: 'signal', signal: rung.signal, target: leaderLives ? 'leader' : 'everything', forced }];
}
