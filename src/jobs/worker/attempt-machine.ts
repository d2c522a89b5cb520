/**
 * The life of one attempt: what may happen to it, and what is then asked of PID 1 and of the store.
 *
 * Why it is being ended is its own value, and the first cause wins, with two exceptions: who loses the job has nothing
 * more to say about it, and what people cancel is cancelled, whatever else was about to end it. The process is not gone
 * before PID 1 has said so (`ended`): until then it counts against the limits, and the job is nobody else's.
 */

/** `running` → `stopping` (by the ladder of its plan) → `killed` (at once) → `ended` (no process) → `settled` (the store knows). */
export type Phase = 'running' | 'stopping' | 'killed' | 'ended' | 'settled';

/** `lost`: somebody else has the job. `silent`: the store could not be asked for so long that somebody else might have it soon. */
export type Why = 'timeout' | 'cancel' | 'shutdown' | 'lost' | 'silent';

/** `kill`: what was asked to stop has had its time. */
export type Input = Why | 'kill' | 'ended' | 'settled';

export type Effect = 'stop' | 'kill' | 'settle' | 'forget';

export interface AttemptState {
  readonly phase: Phase;
  readonly why: Why | undefined;
}

export interface Step {
  readonly state: AttemptState;
  readonly effects: readonly Effect[];
}

type Cell = 'ignore' | { readonly to: Phase; readonly because?: Why; readonly effect?: Effect };

const ended: Cell = { to: 'ended', effect: 'settle' };

const TABLE = {
  running: {
    timeout: { to: 'stopping', because: 'timeout', effect: 'stop' },
    cancel: { to: 'stopping', because: 'cancel', effect: 'stop' },
    shutdown: { to: 'stopping', because: 'shutdown', effect: 'stop' },
    lost: { to: 'killed', because: 'lost', effect: 'kill' },
    silent: { to: 'killed', because: 'silent', effect: 'kill' },
    kill: { to: 'killed', effect: 'kill' },
    ended,
    settled: 'ignore',
  },
  stopping: {
    timeout: 'ignore',
    cancel: { to: 'stopping', because: 'cancel' },
    shutdown: 'ignore',
    lost: { to: 'killed', because: 'lost', effect: 'kill' },
    silent: { to: 'killed', because: 'silent', effect: 'kill' },
    kill: { to: 'killed', effect: 'kill' },
    ended,
    settled: 'ignore',
  },
  killed: {
    timeout: 'ignore',
    cancel: { to: 'killed', because: 'cancel' },
    shutdown: 'ignore',
    lost: { to: 'killed', because: 'lost' },
    silent: { to: 'killed', because: 'silent' },
    kill: 'ignore',
    ended,
    settled: 'ignore',
  },
  ended: {
    timeout: 'ignore',
    cancel: 'ignore',
    shutdown: 'ignore',
    // The store says so itself when it is told of the end.
    lost: 'ignore',
    silent: 'ignore',
    kill: 'ignore',
    ended: 'ignore',
    settled: { to: 'settled', effect: 'forget' },
  },
  settled: {
    timeout: 'ignore',
    cancel: 'ignore',
    shutdown: 'ignore',
    lost: 'ignore',
    silent: 'ignore',
    kill: 'ignore',
    ended: 'ignore',
    settled: 'ignore',
  },
} as const satisfies Record<Phase, Record<Input, Cell>>;

/** Of a later cause only one that stands higher changes the first. */
const RANK: Readonly<Record<Why, number>> = { timeout: 0, shutdown: 0, silent: 1, cancel: 2, lost: 3 };

export function begin(): AttemptState {
  return { phase: 'running', why: undefined };
}

export function step(state: AttemptState, input: Input): Step {
  const cell: Cell = TABLE[state.phase][input];
  if (cell === 'ignore') return { state, effects: [] };
  return {
    state: { phase: cell.to, why: firstCause(state.why, cell.because) },
    effects: cell.effect ? [cell.effect] : [],
  };
}

/** Whether there is a process of it, as far as anybody knows. */
export function isLive({ phase }: AttemptState): boolean {
  return phase === 'running' || phase === 'stopping' || phase === 'killed';
}

function firstCause(first: Why | undefined, later: Why | undefined): Why | undefined {
  if (first === undefined || later === undefined) return first ?? later;
  return RANK[later] > RANK[first] ? later : first;
}
