import { describe, expect, test } from 'vitest';
import { step, table } from '../../../src/supervisor/services/machine.ts';
import { policyOf } from '../../../src/supervisor/services/policy.ts';
import type { Input, InputType, Phase, Policy, State } from '../../../src/supervisor/services/state.ts';
import { initialState } from '../../../src/supervisor/services/state.ts';
import { aCheck, aService, aTask } from '../../support/runs.ts';

const inputs: { readonly [T in InputType]: Input<T> } = {
  wantUp: { type: 'wantUp' },
  wantDown: { type: 'wantDown' },
  wantRestart: { type: 'wantRestart' },
  shutDown: { type: 'shutDown' },
  dependenciesMet: { type: 'dependenciesMet' },
  spawned: { type: 'spawned', generation: 1 },
  spawnFailed: { type: 'spawnFailed', generation: 1, detail: 'no such program', missing: false },
  ready: { type: 'ready', generation: 1 },
  announced: { type: 'announced', generation: 1 },
  extended: { type: 'extended', generation: 1, ms: 5000 },
  checkUp: { type: 'checkUp', generation: 1 },
  checkDown: { type: 'checkDown', generation: 1, detail: 'HTTP 500' },
  exited: { type: 'exited', generation: 1, exit: { code: 1, signal: null } },
  emptied: { type: 'emptied', generation: 1 },
  deadline: { type: 'deadline' },
  hurry: { type: 'hurry' },
};

const live: State = {
  ...initialState,
  wanted: 'up',
  phase: 'up',
  generation: 1,
  spawned: true,
  everSpawned: true,
};
const ending = { cause: 'crashed', detail: 'exit 1', at: 100 } as const;
const states: Record<Phase, State> = {
  down: { ...live, wanted: 'down', phase: 'down' },
  waiting: { ...live, phase: 'waiting' },
  starting: { ...live, phase: 'starting', awaits: { word: true, check: false }, spawnedAt: 0 },
  up: { ...live, spawnedAt: 0, readyAt: 0 },
  stopping: {
    ...live,
    wanted: 'down',
    phase: 'stopping',
    ending: { ...ending, cause: 'asked' },
    rung: 1,
    deadline: 4000,
  },
  clearing: { ...live, phase: 'clearing', ending, rung: 1, deadline: 4000 },
  backoff: { ...live, phase: 'backoff', ending, deadline: 600, failures: { times: [100], attempt: 1 } },
  done: { ...live, phase: 'done' },
  failed: { ...live, phase: 'failed', ending, failures: { times: [100], attempt: 1 } },
};

const policy: Policy = policyOf(aService('app', { ready: { kind: 'fd', fd: 4 } }), undefined);
const now = { now: 100, chance: 0.5 };

/** What each cell does: the phase that follows, what is wanted then, and the effects. `·` ignored, `✗` impossible. */
const expected: Record<Phase, Record<InputType, string>> = {
  down: {
    wantUp: 'waiting up',
    wantDown: '·',
    wantRestart: 'waiting up',
    shutDown: '·',
    dependenciesMet: '·',
    spawned: '✗',
    spawnFailed: '✗',
    ready: '·',
    announced: '·',
    extended: '·',
    checkUp: '·',
    checkDown: '·',
    exited: '✗',
    emptied: '✗',
    deadline: '✗',
    hurry: '·',
  },
  waiting: {
    wantUp: '·',
    wantDown: 'down down',
    wantRestart: '·',
    shutDown: 'down down',
    dependenciesMet: 'starting up: spawn',
    spawned: '✗',
    spawnFailed: '✗',
    ready: '·',
    announced: '·',
    extended: '·',
    checkUp: '·',
    checkDown: '·',
    exited: '✗',
    emptied: '✗',
    deadline: '✗',
    hurry: '·',
  },
  starting: {
    wantUp: '·',
    wantDown: 'stopping down: SIGTERM leader',
    wantRestart: 'stopping up: SIGTERM leader',
    shutDown: 'starting down',
    dependenciesMet: '·',
    spawned: 'starting up',
    spawnFailed: 'backoff up',
    ready: 'up up: becameReady',
    announced: 'stopping up',
    extended: 'starting up',
    checkUp: 'starting up',
    checkDown: 'stopping up: SIGTERM leader',
    exited: 'clearing up: SIGTERM everything',
    emptied: '✗',
    deadline: 'stopping up: SIGTERM leader',
    hurry: '·',
  },
  up: {
    wantUp: '·',
    wantDown: 'stopping down: SIGTERM leader',
    wantRestart: 'stopping up: SIGTERM leader',
    shutDown: 'up down',
    dependenciesMet: '·',
    spawned: '✗',
    spawnFailed: '✗',
    ready: '·',
    announced: 'stopping up',
    extended: '·',
    checkUp: 'up up',
    checkDown: 'stopping up: SIGTERM leader',
    exited: 'clearing up: SIGTERM everything',
    emptied: '✗',
    deadline: '✗',
    hurry: '·',
  },
  stopping: {
    wantUp: 'stopping up',
    wantDown: 'stopping down',
    wantRestart: 'stopping up',
    shutDown: 'stopping down',
    dependenciesMet: '·',
    spawned: '✗',
    spawnFailed: 'down down',
    ready: '·',
    announced: '·',
    extended: 'stopping down',
    checkUp: '·',
    checkDown: '·',
    exited: 'clearing down: SIGTERM everything',
    emptied: '✗',
    deadline: 'stopping down: SIGKILL everything',
    hurry: 'stopping down: SIGKILL everything',
  },
  clearing: {
    wantUp: 'clearing up',
    wantDown: 'clearing down',
    wantRestart: 'clearing up',
    shutDown: 'clearing down',
    dependenciesMet: '·',
    spawned: '✗',
    spawnFailed: '✗',
    ready: '·',
    announced: '·',
    extended: '·',
    checkUp: '·',
    checkDown: '·',
    exited: '✗',
    emptied: 'backoff up',
    deadline: 'clearing up: SIGKILL everything',
    hurry: 'clearing up: SIGKILL everything',
  },
  backoff: {
    wantUp: 'waiting up',
    wantDown: 'down down',
    wantRestart: 'waiting up',
    shutDown: 'down down',
    dependenciesMet: '·',
    spawned: '✗',
    spawnFailed: '✗',
    ready: '·',
    announced: '·',
    extended: '·',
    checkUp: '·',
    checkDown: '·',
    exited: '✗',
    emptied: '✗',
    deadline: 'waiting up',
    hurry: '·',
  },
  done: {
    wantUp: 'waiting up',
    wantDown: 'done down',
    wantRestart: 'waiting up',
    shutDown: 'done down',
    dependenciesMet: '·',
    spawned: '✗',
    spawnFailed: '✗',
    ready: '·',
    announced: '·',
    extended: '·',
    checkUp: '·',
    checkDown: '·',
    exited: '✗',
    emptied: '✗',
    deadline: '✗',
    hurry: '·',
  },
  failed: {
    wantUp: 'waiting up',
    wantDown: 'down down',
    wantRestart: 'waiting up',
    shutDown: 'failed down',
    dependenciesMet: '·',
    spawned: '✗',
    spawnFailed: '✗',
    ready: '·',
    announced: '·',
    extended: '·',
    checkUp: '·',
    checkDown: '·',
    exited: '✗',
    emptied: '✗',
    deadline: 'waiting up',
    hurry: '·',
  },
};

const keysOf = <K extends string>(record: Readonly<Record<K, unknown>>): K[] => Object.keys(record) as K[];

describe('every cell of the table', () => {
  const cells = keysOf(table).flatMap((phase) =>
    keysOf(inputs).map((type): [Phase, InputType, string] => [phase, type, expected[phase][type]]),
  );
  test.each(cells)('%s + %s → %s', (phase, type, what) => {
    const state = states[phase];
    const next = step(state, inputs[type], policy, now);
    if (what === '·') {
      expect(table[phase][type]).toBe('ignore');
      expect(next).toEqual({ state, effects: [] });
    } else if (what === '✗') {
      expect(next).toEqual({ state, effects: [{ type: 'impossible', input: type }] });
    } else {
      const effects = next.effects.map((effect) =>
        effect.type === 'signal' ? `${effect.signal} ${effect.target}` : effect.type,
      );
      const text = `${next.state.phase} ${next.state.wanted}`;
      expect(effects.length === 0 ? text : `${text}: ${effects.join(', ')}`).toBe(what);
    }
  });
});

describe('generations', () => {
  test.each(keysOf(states))('an input of an older generation is dropped in %s', (phase) => {
    const state = { ...states[phase], generation: 2 };
    for (const type of ['ready', 'exited', 'emptied', 'spawnFailed', 'checkDown'] as const) {
      expect(step(state, inputs[type], policy, now)).toEqual({ state, effects: [] });
    }
  });

  test('an input of a generation that does not exist yet is impossible', () => {
    const state = { ...states.up, generation: 0 };
    expect(step(state, inputs.exited, policy, now).effects).toEqual([
      { type: 'impossible', input: 'exited' },
    ]);
  });
});

describe('readiness', () => {
  const both = policyOf(aService('app', { ready: { kind: 'fd', fd: 4 }, healthcheck: aCheck }), undefined);
  const starting: State = { ...states.starting, awaits: both.awaits };

  test('with a ready word and a check it is ready when both have spoken', () => {
    const told = step(starting, inputs.ready, both, now).state;
    expect(told.phase).toBe('starting');
    expect(step(told, inputs.checkUp, both, now).state.phase).toBe('up');
  });

  test('without either it is ready as soon as it is spawned', () => {
    const plain = policyOf(aService('app'), undefined);
    expect(step({ ...starting, awaits: plain.awaits }, inputs.spawned, plain, now).state.phase).toBe('up');
  });

  test('a task is never ready, only done', () => {
    const task = policyOf(aTask('import'), undefined);
    const running: State = { ...states.starting, awaits: task.awaits };
    expect(step(running, inputs.spawned, task, now).state.phase).toBe('starting');
    const over = step(running, { ...inputs.exited, exit: { code: 0, signal: null } }, task, now).state;
    const end = step(over, inputs.emptied, task, now);
    expect(end.state.phase).toBe('done');
    expect(end.effects).toEqual([{ type: 'finished' }]);
  });
});

describe('the first cause wins', () => {
  test('an exit during a stop is not a crash', () => {
    const stopping = step(states.up, inputs.wantRestart, policy, now).state;
    const gone = step(stopping, inputs.exited, policy, now).state;
    const next = step(gone, inputs.emptied, policy, now).state;
    expect(next).toMatchObject({ phase: 'waiting', restarts: 0, failures: { times: [] } });
    expect(next.ending?.cause).toBe('restart');
  });

  test('a failed check is one failure, whatever exit follows it', () => {
    const stopping = step(states.up, inputs.checkDown, policy, now).state;
    const gone = step(stopping, inputs.exited, policy, now).state;
    const next = step(gone, inputs.emptied, policy, now).state;
    expect(next).toMatchObject({ phase: 'backoff', restarts: 1, failures: { times: [100] } });
    expect(next.ending?.cause).toBe('unhealthy');
  });

  test('a task that is stopped and then exits 0 is not done: it may only have obeyed', () => {
    const task = policyOf(aTask('import'), undefined);
    const stopping = step(states.starting, inputs.wantDown, task, now).state;
    const gone = step(stopping, { ...inputs.exited, exit: { code: 0, signal: null } }, task, now).state;
    expect(step(gone, inputs.emptied, task, now).state.phase).toBe('down');
  });
});

describe('one that stops by itself and says so', () => {
  const announced = step(states.up, inputs.announced, policy, now);

  test('is sent nothing, and has as long as if it had been asked', () => {
    expect(announced.effects).toEqual([]);
    expect(announced.state).toMatchObject({ phase: 'stopping', wanted: 'up', deadline: 100 + 4000, rung: 1 });
  });

  test.each([
    [0, 'finished', 'exit 0'],
    [1, 'crashed', 'exit 1'],
  ])('with exit %i it has %s, as its exit says', (code, cause, detail) => {
    const exit = { ...inputs.exited, exit: { code, signal: null } };
    const gone = step(announced.state, exit, policy, { ...now, now: 300 });
    expect(gone.state).toMatchObject({ phase: 'clearing', restarts: 1, ending: { cause, detail, at: 300 } });
    // What it left behind was told nothing yet.
    expect(gone.effects).toMatchObject([{ signal: 'SIGTERM', target: 'everything' }]);
  });

  test('is killed when that takes too long, which is a failure', () => {
    const late = step(announced.state, inputs.deadline, policy, { ...now, now: 4100 });
    expect(late.effects).toMatchObject([{ signal: 'SIGKILL', target: 'everything', forced: true }]);
    expect(late.state.ending).toMatchObject({
      cause: 'timeout',
      detail: 'still there 4.0 s after it said that it is stopping',
    });
  });

  test.each([
    ['wantDown', 'asked', 'down'],
    ['wantRestart', 'restart', 'waiting'],
    ['wantUp', 'restart', 'waiting'],
  ] as const)('%s meanwhile makes it what was asked', (type, cause, phase) => {
    const asked = step(announced.state, inputs[type], policy, now).state;
    const gone = step(asked, inputs.exited, policy, now).state;
    expect(gone.ending?.cause).toBe(cause);
    expect(step(gone, inputs.emptied, policy, now).state).toMatchObject({
      phase,
      restarts: 0,
      failures: { times: [] },
    });
  });
});

describe('one that asks for time', () => {
  const limited = policyOf(aService('app', { ready: { kind: 'fd', fd: 4 }, startTimeout: 1000 }), undefined);
  const extend = (ms: number): Input<'extended'> => ({ type: 'extended', generation: 1, ms });

  test('has it for its start, never less than without asking, and an hour at most', () => {
    const starting: State = { ...states.starting, deadline: 1000 };
    const deadlineAfter = (ms: number, at: number): number | undefined =>
      step(starting, extend(ms), limited, { ...now, now: at }).state.deadline;
    expect(deadlineAfter(500, 100)).toBe(1000);
    expect(deadlineAfter(5000, 900)).toBe(5900);
    expect(deadlineAfter(600_000, 3_590_000)).toBe(3_600_000);
    const late = step({ ...starting, deadline: 5900 }, inputs.deadline, limited, { ...now, now: 5900 });
    expect(late.state.ending?.detail).toBe('not ready after 5.9 s');
  });

  test('needs none where its start has no limit', () => {
    expect(step(states.starting, extend(500), policy, now).state.deadline).toBeUndefined();
  });

  test('has it for the signal it was sent, within the budget of the whole stop', () => {
    const { stopping } = states;
    expect(step(stopping, extend(9000), policy, { ...now, now: 3900 }).state.deadline).toBe(12_900);
    const budget: State = { ...stopping, stopBy: 6000 };
    expect(step(budget, extend(9000), policy, { ...now, now: 3900 }).state.deadline).toBe(6000);
    const asking = step(stopping, extend(600_000), policy, { ...now, now: 500_000 }).state;
    expect(asking.deadline).toBe(stopping.ending?.at === undefined ? 0 : stopping.ending.at + 600_000);
  });

  test('a budget that comes later cuts what was given', () => {
    const given = step(states.stopping, extend(9000), policy, { ...now, now: 3900 }).state;
    const cut = step(given, { type: 'wantDown', by: 5000 }, policy, { ...now, now: 4000 }).state;
    expect(cut.deadline).toBe(5000);
  });

  test('has none after SIGKILL', () => {
    const killed = step(states.stopping, inputs.deadline, policy, { ...now, now: 4000 }).state;
    expect(step(killed, extend(9000), policy, { ...now, now: 4100 }).state.deadline).toBe(killed.deadline);
  });
});

describe('an unhealthy check', () => {
  test('with on_unhealthy ignore it is left up and said', () => {
    const lenient: Policy = { ...policy, onUnhealthy: 'ignore' };
    const down = step(states.up, inputs.checkDown, lenient, now);
    expect(down.state).toMatchObject({ phase: 'up', unhealthy: 'HTTP 500' });
    expect(step(down.state, inputs.checkUp, lenient, now).state.unhealthy).toBeUndefined();
  });

  test('with on_unhealthy exit the container is to end, told once', () => {
    const strict: Policy = { ...policy, onUnhealthy: 'exit' };
    const down = step(states.up, inputs.checkDown, strict, now);
    expect(down.effects).toEqual([{ type: 'ended', ended: 'criticalUnhealthy' }]);
    expect(step(down.state, inputs.checkDown, strict, now).effects).toEqual([]);
  });
});
