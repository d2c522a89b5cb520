/** The moves the table's cells are made of: each takes a state and returns the step that follows. */

import { climb, hurryUp, tellSurvivors } from './ladder.ts';
import type { Exit } from './ports.ts';
import {
  allowsRestart,
  delayBefore,
  hasGivenUp,
  meaningOf,
  noFailures,
  noteFailure,
} from './restart-policy.ts';
import type { Cause, Effect, EndedCause, Ending, Moment, Phase, Policy, State, Step } from './state.ts';

export function stay(state: State): Step {
  return { state, effects: [] };
}

/** To a phase in which nothing lives and no deadline is set. */
export function rest(state: State, phase: Phase): Step {
  return stay({ ...state, phase, deadline: undefined, soon: false });
}

/** A person wants it up: whatever failed before is forgotten. */
export function startFresh(state: State): Step {
  return rest({ ...state, wanted: 'up', failures: noFailures, ending: undefined }, 'waiting');
}

export function spawn(state: State, policy: Policy, moment: Moment): Step {
  return {
    state: {
      ...state,
      phase: 'starting',
      generation: state.generation + 1,
      deadline: policy.startTimeout === undefined ? undefined : moment.now + policy.startTimeout,
      spawnedAt: moment.now,
      readyAt: undefined,
      endedAt: undefined,
      spawned: false,
      awaits: policy.awaits,
      unhealthy: undefined,
      ending: undefined,
      rung: 0,
      stopBy: undefined,
      soon: false,
    },
    effects: [{ type: 'spawn' }],
  };
}

/** One of the things it had to show is shown; when nothing is left, it is ready. Tasks are never ready, only done. */
export function show(
  state: State,
  policy: Policy,
  moment: Moment,
  shown: 'word' | 'check' | undefined,
): Step {
  const awaits = shown === undefined ? state.awaits : { ...state.awaits, [shown]: false };
  if (policy.kind === 'task' || awaits.word || awaits.check) return stay({ ...state, awaits });
  return {
    state: { ...state, awaits, phase: 'up', deadline: undefined, readyAt: moment.now },
    effects: [{ type: 'becameReady' }],
  };
}

/** Begins the stop of a living leader. */
export function beginStop(
  state: State,
  policy: Policy,
  moment: Moment,
  why: { readonly cause: Cause; readonly detail: string; readonly by?: number; readonly hurried?: boolean },
): Step {
  const ended = noteEnding({ ...state, phase: 'stopping', rung: 0, stopBy: why.by }, policy, {
    cause: why.cause,
    detail: why.detail,
    at: moment.now,
  });
  // Where a share is reserved, hurry begins at the first rung all the same: nobody has asked it yet.
  const first = why.hurried === true && policy.ladder.reserve === 0 ? hurryUp : climb;
  const climbed = first(ended, policy, moment);
  return { state: climbed.state, effects: [...unwantChecks(policy), ...climbed.effects] };
}

/**
 * It stops by itself and says so: nothing is sent, for it would be told what it knows, but it has no longer than if
 * the first signal had been. systemd does the same.
 */
export function announceStop(state: State, policy: Policy, moment: Moment): Step {
  const { rungs } = policy.ladder;
  return {
    state: {
      ...state,
      phase: 'stopping',
      ending: { cause: 'announced', detail: 'it said that it is stopping', at: moment.now },
      rung: Math.min(1, rungs.length - 1),
      stopBy: undefined,
      deadline: moment.now + (rungs[0]?.wait ?? 0),
    },
    effects: unwantChecks(policy),
  };
}

/** The leader was reaped. Its own end, unless something was already ending it. */
export function leaderGone(
  state: State,
  policy: Policy,
  moment: Moment,
  exit: Exit,
  told: string | undefined,
): Step {
  const endedAt = moment.now;
  if (state.phase === 'stopping' && state.ending?.cause !== 'announced') {
    const next: State = { ...state, phase: 'clearing', exit, endedAt };
    return { state: next, effects: tellSurvivors(next, policy) };
  }
  const cause = meaningOf(exit, policy.exitCodes);
  const ended = noteEnding({ ...state, phase: 'clearing', exit, endedAt, rung: 0 }, policy, {
    cause,
    detail: told ?? describeExit(exit),
    at: moment.now,
  });
  const climbed = climb(ended, policy, moment);
  // One that had announced its end has no checks any more.
  const checks = state.phase === 'stopping' ? [] : unwantChecks(policy);
  return { state: climbed.state, effects: [...checks, ...climbed.effects] };
}

/** "exit 1", or the signal that killed it. */
function describeExit(exit: Exit): string {
  return exit.signal ?? `exit ${exit.code ?? 'unknown'}`;
}

/** Nothing lives any more: what is wanted, and the first cause of the end, decide what follows. */
export function nothingLeft(state: State, policy: Policy, moment: Moment): Step {
  const cause = state.ending?.cause;
  if (policy.kind === 'task' && cause === 'finished') return finish(state);
  if (state.wanted === 'down') return rest(state, 'down');
  if (state.ending === undefined || cause === 'asked' || cause === 'restart' || cause === 'shutdown') {
    return rest(state, 'waiting');
  }
  return afterEnd(state, policy, moment, state.ending);
}

/** It could not be spawned: nothing lives, and it counts as any other failure. */
export function spawnFailed(
  state: State,
  policy: Policy,
  moment: Moment,
  detail: string,
  missing: boolean,
): Step {
  const ended = noteEnding({ ...state, spawned: false, endedAt: moment.now }, policy, {
    cause: missing ? 'missing' : 'spawn',
    detail,
    at: moment.now,
  });
  const next = nothingLeft(ended, policy, moment);
  // In `stopping` the checks were already called off.
  return state.phase === 'starting' ? { ...next, effects: [...unwantChecks(policy), ...next.effects] } : next;
}

function afterEnd(state: State, policy: Policy, moment: Moment, ending: Ending): Step {
  const finished = ending.cause === 'finished';
  if (finished && !allowsRestart(policy.restart, true)) return state.soon ? startFresh(state) : finish(state);
  const upFor = state.readyAt === undefined ? undefined : ending.at - state.readyAt;
  const failed: State = {
    ...state,
    failures: noteFailure(state.failures, ending.at, upFor, policy.restart),
  };
  // What is missing at the very first start will be missing at the hundredth: a wrong image or plan, said at once.
  const cannotStart = ending.cause === 'missing' && policy.critical && !state.everSpawned;
  const isFatal = ending.cause === 'fatal';
  if (
    cannotStart ||
    isFatal ||
    !allowsRestart(policy.restart, finished) ||
    hasGivenUp(failed.failures, policy.restart, moment.now)
  ) {
    const ended = cannotStart ? 'cannotStart' : endedCause(policy, ending);
    return giveUp(failed, isFatal ? { ...policy, slowRetry: undefined } : policy, moment, ended);
  }
  const delay = delayBefore(failed.failures.attempt, policy.restart, moment.chance);
  const due = ending.at + delay;
  if (state.soon || due <= moment.now) return rest(failed, 'waiting');
  return stay({ ...failed, phase: 'backoff', deadline: due });
}

function giveUp(state: State, policy: Policy, moment: Moment, ended: EndedCause): Step {
  const { slowRetry } = policy;
  // A person who asked for a start meanwhile is answered before the limit is.
  if (state.soon) return startFresh(state);
  return {
    state: {
      ...rest(state, 'failed').state,
      deadline: slowRetry === undefined ? undefined : moment.now + slowRetry,
    },
    effects: [{ type: 'gaveUp', ended }],
  };
}

function endedCause(policy: Policy, ending: Ending): EndedCause {
  if (policy.kind === 'task') return 'taskFailed';
  return ending.cause === 'unhealthy' ? 'criticalUnhealthy' : 'criticalGaveUp';
}

function finish(state: State): Step {
  return { state: rest(state, 'done').state, effects: [{ type: 'finished' }] };
}

/** The first cause stays; only that it announced its end itself is no cause yet. */
export function noteEnding(state: State, policy: Policy, ending: Ending): State {
  if (state.ending !== undefined && state.ending.cause !== 'announced') return state;
  return { ...state, ending, restarts: state.restarts + (isUnintended(policy, ending.cause) ? 1 : 0) };
}

function isUnintended(policy: Policy, cause: Cause): boolean {
  if (cause === 'asked' || cause === 'restart' || cause === 'shutdown') return false;
  return cause !== 'finished' || (policy.kind === 'service' && policy.restart.policy === 'always');
}

function unwantChecks(policy: Policy): readonly Effect[] {
  return policy.kind === 'service' && policy.awaits.check ? [{ type: 'checksUnwanted' }] : [];
}
