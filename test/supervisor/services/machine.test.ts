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
