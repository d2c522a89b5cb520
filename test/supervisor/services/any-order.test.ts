/** What must hold in any order of events: the machine against a world that does as it pleases. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RunPlan, Signal } from '../../../src/config/plan-runs.ts';
import { step } from '../../../src/supervisor/services/machine.ts';
import { policyOf } from '../../../src/supervisor/services/policy.ts';
import type { Input, State } from '../../../src/supervisor/services/state.ts';
import { initialState, isLive } from '../../../src/supervisor/services/state.ts';
import { obedient, stubborn } from '../../support/fake-launcher.ts';
import { aCheck, aService, aTask, needs, postgresLadder } from '../../support/runs.ts';
import { servicesWithFakes } from '../../support/services.ts';

const runs: readonly RunPlan[] = [
  aService('database', { stop: postgresLadder, healthcheck: aCheck, critical: true }),
  aTask('setup', { dependsOn: needs('database'), retries: 1 }),
  aService('app', {
    dependsOn: needs({ setup: 'service_completed_successfully' }),
    ready: { kind: 'fd', fd: 4 },
    startTimeout: 5000,
    exitCodes: { success: [3], fatal: [78] },
  }),
  aService('worker', { dependsOn: needs({ app: 'service_started' }, false), onUnhealthy: 'ignore' }),
];
const names = runs.map((run) => run.name);

type World = ReturnType<typeof servicesWithFakes>;
type Act = (world: World) => void;

const someName = fc.constantFrom(...names);
const someGeneration = fc.integer({ min: 1, max: 6 });

/** Commands of people; each also says what is wanted of this run afterwards. */
const command = fc.tuple(fc.constantFrom('start', 'stop', 'restart', 'tree'), someName);

/** What processes, checks and time do. */
const happening: fc.Arbitrary<Act> = fc.oneof(
  fc.tuple(someName, fc.constantFrom<number | Signal>(0, 1, 3, 78, 'SIGKILL', 'SIGSEGV')).map(
    ([name, how]): Act =>
      ({ launcher }) => {
        if (typeof how === 'number') launcher.living(name)[0]?.exit(how);
        else launcher.living(name)[0]?.exit(null, how);
      },
  ),
  someName.map(
    (name): Act =>
      ({ launcher }) => {
        const process = launcher.living(name)[0];
        if (process !== undefined && !process.leaderLives) process.empty();
      },
  ),
  someName.map(
    (name): Act =>
      ({ launcher }) => {
        const process = launcher.living(name)[0];
        if (process?.leaderLives) process.survivors = stubborn;
      },
  ),
  someName.map(
    (name): Act =>
      ({ launcher }) =>
        launcher.living(name)[0]?.ready(),
  ),
  someName.map(
    (name): Act =>
      ({ launcher }) => {
        const process = launcher.living(name)[0];
        if (process?.leaderLives) process.events.announced();
      },
  ),
  fc.tuple(someName, fc.integer({ min: 1, max: 600_000 })).map(
    ([name, ms]): Act =>
      ({ launcher }) => {
        const process = launcher.living(name)[0];
        if (process?.leaderLives) process.events.extended(ms);
      },
  ),
  fc.tuple(someName, someGeneration).map(
    ([name, generation]): Act =>
      ({ services, launcher }) => {
        // Only generations that exist: the health room knows no others.
        if (launcher.launches.includes(`${name}@${generation}`)) services.checkPassed(name, generation);
      },
  ),
  fc.tuple(someName, someGeneration).map(
    ([name, generation]): Act =>
      ({ services, launcher }) => {
        if (launcher.launches.includes(`${name}@${generation}`))
          services.checkFailed(name, generation, 'HTTP 500');
      },
  ),
  fc.tuple(someName, fc.boolean()).map(
    ([name, fails]): Act =>
      ({ launcher }) => {
        launcher.fail(name, fails ? Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' }) : undefined);
      },
  ),
  fc.constant<Act>(({ launcher }) => launcher.tellFailures()),
  fc.tuple(someName, fc.boolean()).map(
    ([name, obeys]): Act =>
      ({ launcher }) => {
        launcher.obey(name, obeys ? obedient : stubborn);
      },
  ),
  fc.integer({ min: 0, max: 40_000 }).map(
    (ms): Act =>
      ({ clock }) =>
        clock.advance(ms),
  ),
);

const history = fc.array(fc.oneof({ weight: 2, arbitrary: happening }, { weight: 1, arbitrary: command }), {
  maxLength: 60,
});

function live(world: World, events: readonly (Act | [string, string])[]): Map<string, 'up' | 'down'> {
  const wanted = new Map<string, 'up' | 'down'>(names.map((name) => [name, 'up']));
  world.services.startAll();
  for (const event of events) {
    if (typeof event === 'function') {
      event(world);
      continue;
    }
    const [verb, name] = event;
    if (verb === 'start') world.services.start([name]);
    if (verb === 'stop') world.services.stop([name]);
    if (verb === 'restart') world.services.restart([name]);
    if (verb === 'tree' && !restartTree(world, name)) continue;
    wanted.set(name, verb === 'stop' ? 'down' : 'up');
  }
  return wanted;
}

/** With its dependents, unless another such restart is under way. */
function restartTree({ services }: World, name: string): boolean {
  try {
    return services.restartTree([name]).includes(name);
  } catch {
    return false;
  }
}

/** From here on the world is kind: everything can be spawned, obeys, is ready and passes its checks. */
function calmDown(world: World): void {
  for (const name of names) {
    world.launcher.fail(name, undefined);
    world.launcher.obey(name, obedient);
  }
  for (let round = 0; round < 80; round += 1) {
    world.launcher.tellFailures();
    for (const process of world.launcher.living()) {
      process.ready();
      world.services.checkPassed(process.run.name, process.generation);
      if (process.run.kind === 'task') process.exit(0);
    }
    world.clock.advance(20_000);
  }
}

describe('in any order of events', () => {
  test('laws 7, 8: two generations of one run never live at once, and nothing impossible happens', () => {
    fc.assert(
      fc.property(history, (events) => {
        const world = servicesWithFakes(runs);
        live(world, events);
        expect(world.launcher.violations).toEqual([]);
        expect(world.told.filter((line) => line.startsWith('misbehaved'))).toEqual([]);
        // One deadline each, so never a timer whose cause is gone.
        expect(world.clock.armed).toBeLessThanOrEqual(names.length);
      }),
      { numRuns: 400 },
    );
  });

  test('every run ends where its last accepted command wanted it, once the world is kind', () => {
    fc.assert(
      fc.property(history, (events) => {
        const world = servicesWithFakes(runs, { slowRetry: 60_000 });
        const wanted = live(world, events);
        calmDown(world);
        const words = world.words();
        for (const name of names) {
          const word = words[name];
          if (wanted.get(name) === 'down') expect(['stopped', 'done']).toContain(word);
          else if (word !== 'ready' && word !== 'done') {
            // Only two things may keep it: it failed for good, or what it needs is stopped or failed.
            expect(['failed', 'waiting']).toContain(word);
            if (word === 'waiting')
              expect(world.reason(name)).toMatch(/which is stopped|which failed|waiting for/);
          }
        }
        expect(world.launcher.violations).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('law 22: a stop of everything always ends within its budget: nothing lives, no timer is armed', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.boolean(), async (events, hurried) => {
        const world = servicesWithFakes(runs);
        live(world, events);
        const from = world.clock.mono();
        let over: number | undefined;
        const stopped = world.services.shutdown();
        void world.services
          .until(() => world.launcher.living().length === 0)
          .then(() => {
            over = world.clock.mono();
          });
        if (hurried) world.services.hurry();
        world.launcher.tellFailures();
        world.clock.advance(9000);
        await stopped;
        await Promise.resolve();
        expect(world.launcher.living()).toEqual([]);
        expect(over).toBeLessThanOrEqual(from + 9000);
        expect(world.clock.armed).toBe(0);
        const launched = world.launcher.launches.length;
        world.clock.advance(3_600_000);
        expect(world.launcher.launches).toHaveLength(launched);
      }),
      { numRuns: 300 },
    );
  });

  test('law 6: stopping each by hand leaves no timer either', () => {
    fc.assert(
      fc.property(history, (events) => {
        const world = servicesWithFakes(runs);
        live(world, events);
        world.services.stop(names);
        world.launcher.tellFailures();
        // What asked for time gets up to ten minutes of it.
        world.clock.advance(20 * 60_000);
        expect(Object.values(world.words()).every((word) => word === 'stopped' || word === 'done')).toBe(
          true,
        );
        expect(world.clock.armed).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  test('law 8: 50 mixed commands on a running service end in the last one, with one process at most', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('start', 'stop', 'restart'), { minLength: 50, maxLength: 50 }),
        fc.array(fc.boolean(), { minLength: 50, maxLength: 50 }),
        (verbs, moves) => {
          const world = servicesWithFakes([aService('app')]);
          world.launcher.obey('app', stubborn);
          world.services.startAll();
          for (const [index, verb] of verbs.entries()) {
            if (verb === 'start') world.services.start(['app']);
            if (verb === 'stop') world.services.stop(['app']);
            if (verb === 'restart') world.services.restart(['app']);
            if (moves[index]) world.clock.advance(1700);
          }
          world.clock.advance(10_000);
          const isUp = verbs.at(-1) !== 'stop';
          expect(world.words()).toEqual({ app: isUp ? 'ready' : 'stopped' });
          expect(world.launcher.living()).toHaveLength(isUp ? 1 : 0);
          expect(world.launcher.violations).toEqual([]);
          expect(world.services.status('app')?.restarts).toBe(0);
        },
      ),
    );
  });
});

describe('the machine alone', () => {
  const types: readonly Input['type'][] = [
    'wantUp',
    'wantDown',
    'wantRestart',
    'shutDown',
    'dependenciesMet',
    'spawned',
    'spawnFailed',
    'ready',
    'announced',
    'extended',
    'checkUp',
    'checkDown',
    'exited',
    'emptied',
    'deadline',
    'hurry',
  ];

  function inputOf(type: Input['type'], generation: number): Input {
    switch (type) {
      case 'spawnFailed':
        return { type, generation, detail: 'EAGAIN', missing: false };
      case 'checkDown':
        return { type, generation, detail: 'HTTP 500' };
      case 'extended':
        return { type, generation, ms: 60_000 };
      case 'exited':
        return { type, generation, exit: { code: 1, signal: null } };
      case 'spawned':
      case 'ready':
      case 'announced':
      case 'checkUp':
      case 'emptied':
        return { type, generation };
      default:
        return { type };
    }
  }

  test('whatever comes, also what cannot: it never throws, spawns only from waiting, and keeps its promises', () => {
    const inputs = fc.array(
      fc.record({
        type: fc.constantFrom(...types),
        age: fc.integer({ min: -1, max: 2 }),
        wait: fc.integer({ min: 0, max: 100_000 }),
        chance: fc.double({ min: 0, max: 0.999, noNaN: true }),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(inputs, fc.constantFrom(...runs), (events, run) => {
        const policy = policyOf(run, 60_000);
        let state: State = initialState;
        let now = 0;
        for (const { type, age, wait, chance } of events) {
          now += wait;
          const before = state;
          const { state: after, effects } = step(before, inputOf(type, before.generation - age), policy, {
            now,
            chance,
          });
          state = after;
          const spawns = effects.some((effect) => effect.type === 'spawn');
          expect(spawns).toBe(after.generation === before.generation + 1);
          if (spawns) expect(before.phase).toBe('waiting');
          // What is being ended has a deadline, so it ends; what rests for good has none.
          if (after.phase === 'stopping' || after.phase === 'clearing' || after.phase === 'backoff') {
            expect(after.deadline).toBeDefined();
            expect(after.ending).toBeDefined();
          }
          if (['down', 'waiting', 'up', 'done'].includes(after.phase)) expect(after.deadline).toBeUndefined();
          if (after.wanted === 'down') expect(['waiting', 'backoff']).not.toContain(after.phase);
          if (!isLive(after.phase)) expect(after.soon).toBe(false);
        }
      }),
      { numRuns: 500 },
    );
  });
});
