/**
 * The whole behaviour of one run, as a table: every phase × every input, every cell filled (a missing one does not
 * compile). Deciding is pure; the runner in manager.ts carries the effects out. The model is told in state.ts.
 */
import { formatDuration } from '../../base/duration.ts';
import { climb, cutToFit, extendRung, hurryUp } from './ladder.ts';
import {
  announceStop,
  beginStop,
  leaderGone,
  noteEnding,
  nothingLeft,
  rest,
  show,
  spawn,
  spawnFailed,
  startFresh,
  stay,
} from './moves.ts';
import type { Ending, Input, InputType, Moment, Phase, Policy, State, Step } from './state.ts';

/** `ignore`: it may come and means nothing here; `impossible`: an internal error, logged and counted, never thrown. */
type Cell<T extends InputType> =
  | 'ignore'
  | 'impossible'
  | ((state: State, input: Input<T>, policy: Policy, moment: Moment) => Step);

type Row = { readonly [T in InputType]: Cell<T> };

const wantItDown = (state: State): Step => stay({ ...state, wanted: 'down' });
const goWaiting = (state: State): Step => rest(state, 'waiting');
const stopResting = (state: State): Step => rest({ ...state, wanted: 'down' }, 'down');

const SHUTDOWN = { cause: 'shutdown', detail: 'everything is being stopped' } as const;

function askedDown({ by }: Input<'wantDown'>): Pick<Ending, 'cause' | 'detail'> {
  return by === undefined ? { cause: 'asked', detail: 'stopped by request' } : SHUTDOWN;
}

const stopLeader: Cell<'wantDown'> = (state, input, policy, moment) =>
  beginStop({ ...state, wanted: 'down' }, policy, moment, { ...input, ...askedDown(input) });

const restartLeader: Cell<'wantRestart'> = (state, _input, policy, moment) =>
  beginStop(state, policy, moment, { cause: 'restart', detail: 'restarted by request' });

/** Its own deadlines and checks no longer matter: its turn to stop will come. */
const awaitTurn = (state: State): Step => stay({ ...state, wanted: 'down', deadline: undefined });

const checkWentDown: Cell<'checkDown'> = (state, input, policy, moment) => {
  if (state.wanted === 'down') return stay(state);
  if (policy.onUnhealthy === 'restart' && !input.busy) {
    return beginStop(state, policy, moment, { cause: 'unhealthy', detail: input.detail });
  }
  const isNews = !input.busy && (state.unhealthy === undefined || state.isBusy === true);
  return {
    state: { ...state, unhealthy: input.detail, isBusy: input.busy === true },
    effects: policy.onUnhealthy === 'exit' && isNews ? [{ type: 'ended', ended: 'criticalUnhealthy' }] : [],
  };
};

const startTimedOut: Cell<'deadline'> = (state, _input, policy, moment) => {
  const what = policy.kind === 'task' ? 'not finished' : 'not ready';
  // What it asked for on top is part of it.
  const allowed = (state.deadline ?? moment.now) - (state.spawnedAt ?? moment.now);
  const detail = `${what} after ${formatDuration(allowed)}`;
  return beginStop(state, policy, moment, { cause: 'timeout', detail });
};

/** Of a start that asks for time again and again, all together. ms */
const LONGEST_START = 3_600_000;

/** Never sooner than without it. A start without a limit needs no time. */
const extendStart: Cell<'extended'> = (state, { ms }, _policy, { now }) => {
  const { deadline, spawnedAt = now } = state;
  if (deadline === undefined) return stay(state);
  return stay({ ...state, deadline: Math.max(deadline, Math.min(now + ms, spawnedAt + LONGEST_START)) });
};

const extendStop: Cell<'extended'> = (state, { ms }, policy, { now }) =>
  stay(extendRung(state, policy, now + ms));

const announce: Cell<'announced'> = (state, _input, policy, moment) => announceStop(state, policy, moment);

/** Only what is wanted flips; what follows is decided when nothing lives any more. */
const startAfterwards = (state: State, _input: object, policy: Policy, { now: at }: Moment): Step =>
  stay({
    ...noteEnding(state, policy, { cause: 'restart', detail: 'restarted by request', at }),
    wanted: 'up',
    soon: true,
  });

const stopAnyway: Cell<'wantDown'> = (state, input, policy, moment) => {
  const by = Math.min(input.by ?? Number.POSITIVE_INFINITY, state.stopBy ?? Number.POSITIVE_INFINITY);
  const next: State = {
    ...noteEnding(state, policy, { ...askedDown(input), at: moment.now }),
    wanted: 'down',
    soon: false,
    stopBy: Number.isFinite(by) ? by : undefined,
  };
  if (input.hurried === true) return hurryUp(next, policy, moment);
  return stay({ ...next, deadline: cutToFit(next, policy, moment.now) });
};

const climbOn = (state: State, _input: object, policy: Policy, moment: Moment): Step => {
  const waited = formatDuration(moment.now - (state.ending?.at ?? moment.now));
  const detail = `still there ${waited} after it said that it is stopping`;
  return climb(noteEnding(state, policy, { cause: 'timeout', detail, at: moment.now }), policy, moment);
};

const hurryOn = (state: State, _input: object, policy: Policy, moment: Moment): Step =>
  hurryUp(noteEnding(state, policy, { ...SHUTDOWN, at: moment.now }), policy, moment);

const failSpawn: Cell<'spawnFailed'> = (state, input, policy, moment) =>
  spawnFailed(state, policy, moment, input.detail, input.missing);

const endLeader: Cell<'exited'> = (state, input, policy, moment) =>
  leaderGone(state, policy, moment, input.exit, input.told);

/** What a phase in which nothing lives says to the inputs of a process: late words of the dead mean nothing. */
const nothingLives = {
  dependenciesMet: 'ignore',
  spawned: 'impossible',
  spawnFailed: 'impossible',
  ready: 'ignore',
  announced: 'ignore',
  extended: 'ignore',
  checkUp: 'ignore',
  checkDown: 'ignore',
  exited: 'impossible',
  emptied: 'impossible',
  deadline: 'impossible',
  hurry: 'ignore',
} as const;

export const table = {
  down: {
    ...nothingLives,
    wantUp: startFresh,
    wantDown: 'ignore',
    wantRestart: startFresh,
    shutDown: 'ignore',
  },
  waiting: {
    ...nothingLives,
    wantUp: 'ignore',
    wantDown: stopResting,
    wantRestart: 'ignore',
    shutDown: stopResting,
    dependenciesMet: (state, _input, policy, moment) => spawn(state, policy, moment),
  },
  starting: {
    wantUp: 'ignore',
    wantDown: stopLeader,
    wantRestart: restartLeader,
    shutDown: awaitTurn,
    dependenciesMet: 'ignore',
    spawned: (state, _input, policy, moment) => {
      const shown = show({ ...state, spawned: true, everSpawned: true }, policy, moment, undefined);
      return policy.kind === 'service' && policy.awaits.check
        ? { state: shown.state, effects: [{ type: 'checksWanted' }, ...shown.effects] }
        : shown;
    },
    spawnFailed: failSpawn,
    ready: (state, _input, policy, moment) => show(state, policy, moment, 'word'),
    announced: announce,
    extended: extendStart,
    checkUp: (state, _input, policy, moment) =>
      show({ ...state, unhealthy: undefined }, policy, moment, 'check'),
    checkDown: checkWentDown,
    exited: endLeader,
    emptied: 'impossible',
    deadline: startTimedOut,
    hurry: 'ignore',
  },
  up: {
    wantUp: 'ignore',
    wantDown: stopLeader,
    wantRestart: restartLeader,
    shutDown: awaitTurn,
    dependenciesMet: 'ignore',
    spawned: 'impossible',
    spawnFailed: 'impossible',
    ready: 'ignore',
    announced: announce,
    extended: 'ignore',
    checkUp: (state) => stay({ ...state, unhealthy: undefined }),
    checkDown: checkWentDown,
    exited: endLeader,
    emptied: 'impossible',
    deadline: 'impossible',
    hurry: 'ignore',
  },
  stopping: {
    wantUp: startAfterwards,
    wantDown: stopAnyway,
    wantRestart: startAfterwards,
    shutDown: wantItDown,
    dependenciesMet: 'ignore',
    spawned: 'impossible',
    // Told a moment after the spawn, so that a stop may come between.
    spawnFailed: failSpawn,
    ready: 'ignore',
    // Nothing new: it was asked to.
    announced: 'ignore',
    extended: extendStop,
    checkUp: 'ignore',
    checkDown: 'ignore',
    exited: endLeader,
    emptied: 'impossible',
    deadline: climbOn,
    hurry: hurryOn,
  },
  clearing: {
    wantUp: startAfterwards,
    wantDown: stopAnyway,
    wantRestart: startAfterwards,
    shutDown: wantItDown,
    dependenciesMet: 'ignore',
    spawned: 'impossible',
    spawnFailed: 'impossible',
    ready: 'ignore',
    announced: 'ignore',
    extended: 'ignore',
    checkUp: 'ignore',
    checkDown: 'ignore',
    exited: 'impossible',
    emptied: (state, _input, policy, moment) => nothingLeft(state, policy, moment),
    deadline: climbOn,
    hurry: hurryOn,
  },
  backoff: {
    ...nothingLives,
    // A person does not wait for a backoff; the dependencies are asked again either way.
    wantUp: goWaiting,
    wantDown: stopResting,
    wantRestart: goWaiting,
    shutDown: stopResting,
    deadline: goWaiting,
  },
  done: {
    ...nothingLives,
    // A task that is done needs no second run to be "up"; a service that ended well does.
    wantUp: (state, _input, policy) =>
      policy.kind === 'task' ? stay({ ...state, wanted: 'up' }) : startFresh(state),
    wantDown: wantItDown,
    wantRestart: startFresh,
    shutDown: wantItDown,
  },
  failed: {
    ...nothingLives,
    wantUp: startFresh,
    wantDown: stopResting,
    wantRestart: startFresh,
    // It stays failed: the last status people see must not lose the reason.
    shutDown: awaitTurn,
    deadline: goWaiting,
  },
} satisfies Record<Phase, Row>;

const rows: Record<Phase, Row> = table;

/** One step of the machine. Inputs of an older generation are dropped: what they speak of is gone. */
export function step<T extends InputType>(
  state: State,
  input: Input<T>,
  policy: Policy,
  moment: Moment,
): Step {
  const type: T = input.type;
  if (
    'generation' in input &&
    typeof input.generation === 'number' &&
    input.generation !== state.generation
  ) {
    return input.generation < state.generation ? stay(state) : impossible(state, type);
  }
  const cell: Cell<T> = rows[state.phase][type];
  if (cell === 'ignore') return stay(state);
  if (cell === 'impossible') return impossible(state, type);
  return cell(state, input, policy, moment);
}

function impossible(state: State, input: InputType): Step {
  return { state, effects: [{ type: 'impossible', input }] };
}
