/** The sentences about a run: short, plain, without a final stop. Pure. */
import { formatDuration } from '../../base/duration.ts';
import type { RunPlan } from '../../config/plan-runs.ts';
import type { StatusWord } from '../../protocol/status.ts';
import type { Ending, State } from './state.ts';

/** The few words shown outside, derived from what is true inside. */
export function wordOf(state: State, kind: RunPlan['kind']): StatusWord {
  switch (state.phase) {
    case 'down':
      return 'stopped';
    case 'up':
      return state.unhealthy === undefined ? 'ready' : 'unhealthy';
    case 'starting':
      return state.unhealthy === undefined ? 'starting' : 'unhealthy';
    case 'clearing':
      return clearingWord(state, kind);
    default:
      return state.phase;
  }
}

/** The leader is gone and the rest of its group is being ended: said as what will come of it, for it is brief. */
function clearingWord(state: State, kind: RunPlan['kind']): StatusWord {
  if (state.wanted === 'up' && state.ending?.cause === 'crashed') return 'backoff';
  if (kind === 'task' && state.ending?.cause === 'finished') return 'starting';
  return 'stopping';
}

/** Why the status word is so; empty where the word says all. `blocked` is the sentence of dependencies.ts. */
export function reasonOf(state: State, run: RunPlan, blocked: string | undefined, now: number): string {
  switch (state.phase) {
    case 'down':
      return state.generation === 0 ? 'not started' : (state.ending?.detail ?? 'stopped by request');
    case 'waiting':
      return blocked ?? '';
    case 'starting':
      return startingReason(state, run);
    case 'up':
      return state.unhealthy ?? '';
    case 'stopping':
      return state.ending?.detail ?? '';
    case 'clearing':
      return `${describeEnding(state.ending, run.kind)}, ending what it left behind`;
    case 'backoff':
      return `${describeFailure(state, run)}, next start in ${formatWait(state, now)}`;
    case 'done':
      return run.kind === 'task'
        ? ''
        : `ended with ${state.ending?.detail ?? 'exit 0'}, and its restart policy is ${run.restart.policy}`;
    case 'failed':
      return state.deadline === undefined
        ? describeFailure(state, run)
        : `${describeFailure(state, run)}, next start in ${formatWait(state, now)}`;
  }
}

function startingReason(state: State, run: RunPlan): string {
  if (state.unhealthy !== undefined) return state.unhealthy;
  if (run.kind === 'task' || !state.spawned) return '';
  if (state.awaits.word && run.ready?.kind === 'fd')
    return `waiting for its ready message on fd ${run.ready.fd}`;
  if (state.awaits.word && run.ready?.kind === 'log')
    return `waiting for its log to say ${run.ready.pattern}`;
  if (state.awaits.word && run.ready?.kind === 'notify') return 'waiting for its READY=1';
  if (state.awaits.word && run.ready?.kind === 'ipc') return "waiting for its process.send('ready')";
  return state.awaits.check ? 'waiting for the first success of its health check' : '';
}

/** "crashed 3 times in 2 min (exit 1)"; for what was asked, its own words. */
export function describeFailure(state: State, run: RunPlan): string {
  const { ending, failures } = state;
  if (ending === undefined) return '';
  const times = failures.times.length;
  const [first] = failures.times;
  if (times < 2 || first === undefined || ending.cause === 'fatal') return describeEnding(ending, run.kind);
  const verb = run.kind === 'task' ? 'failed' : verbOf(ending);
  return `${verb} ${times} times in ${formatDuration(ending.at - first)} (${ending.detail})`;
}

function describeEnding(ending: Ending | undefined, kind: RunPlan['kind']): string {
  if (ending === undefined) return '';
  switch (ending.cause) {
    case 'crashed':
      return `${kind === 'task' ? 'failed' : 'crashed'} (${ending.detail})`;
    case 'fatal':
      return `ended (${ending.detail}), which its plan calls fatal`;
    case 'finished':
      return `ended (${ending.detail})`;
    case 'unhealthy':
      return `was unhealthy (${ending.detail})`;
    default:
      return ending.detail;
  }
}

function verbOf(ending: Ending): string {
  switch (ending.cause) {
    case 'finished':
      return 'ended';
    case 'unhealthy':
      return 'was unhealthy';
    case 'timeout':
      return 'was too slow';
    case 'spawn':
    case 'missing':
      return 'could not start';
    default:
      return 'crashed';
  }
}

function formatWait(state: State, now: number): string {
  // Whole seconds: nobody reads tenths in a countdown.
  const seconds = Math.max(1, Math.ceil(((state.deadline ?? now) - now) / 1000));
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1000);
}
