/** What must hold in any order of events: two workers, one store that comes and goes, processes that do as they please. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JobAdded } from '../../src/protocol/jobs.ts';
import { aPlan, aType, type Weather, World } from './world.ts';

const plan = aPlan([
  aType('scrape', { timeout: 30_000 }),
  aType('mail', { concurrency: 1, priority: 5, retries: 0 }),
  aType('one', { singleton: true }),
]);
const WORKERS = ['w1', 'w2'] as const;

interface Story {
  readonly world: World;
  /** Ids that somebody was promised. */
  readonly accepted: Set<string>;
}

type Act = (story: Story) => Promise<void> | void;

const someWorker = fc.constantFrom(...WORKERS);
const somePlace = fc.nat({ max: 7 });

function pick<T>(list: readonly T[], at: number): T | undefined {
  return list[at % Math.max(1, list.length)];
}

const adding = fc
  .tuple(
    someWorker,
    fc.constantFrom('scrape', 'scrape', 'mail', 'one'),
    fc.option(fc.nat({ max: 5 })),
    fc.boolean(),
  )
  .map(
    ([worker, type, key, delayed]): Act =>
      async ({ world, accepted }) => {
        const answer = await world.ask(worker, {
          op: 'add',
          type,
          ...(key === null
            ? {}
            : // What only another worker knows to be in the store that is away, nobody can know.
              { idempotencyKey: `${worker}, ${world.member(worker).generation}, ${key}` }),
          ...(delayed ? { startAfter: new Date(world.clock.now() + 5000).toISOString() } : {}),
        });
        if (answer.ok) accepted.add((answer.value as JobAdded).job.id);
      },
  );

const ending = fc.tuple(somePlace, fc.constantFrom('done', 'exit', 'signal', 'start', 'stubborn')).map(
  ([at, how]): Act =>
    ({ world }) => {
      const attempt = pick(world.processes.live, at);
      if (!attempt) return;
      if (how === 'stubborn') attempt.obeys = false;
      else if (how === 'done') world.end(attempt, { code: 0 }, { value: at });
      else if (how === 'exit') world.end(attempt, { code: 1 });
      else if (how === 'signal') world.end(attempt, { signal: 'SIGSEGV' });
      else world.end(attempt, { startError: 'no such file' });
    },
);

const talking = fc.tuple(somePlace, fc.boolean()).map(
  ([at, enqueues]): Act =>
    ({ world }) => {
      const attempt = pick(world.processes.live, at);
      if (!attempt) return;
      world
        .member(attempt.worker)
        .worker.heard(
          attempt.name,
          enqueues ? { type: 'enqueue', job: 'mail' } : { type: 'progress', percent: at },
        );
    },
);

const asking = fc.tuple(someWorker, fc.constantFrom('cancel', 'get', 'list', 'status'), somePlace).map(
  ([worker, op, at]): Act =>
    async ({ world, accepted }) => {
      const id = pick([...accepted], at);
      if (op === 'list' || op === 'status') await world.ask(worker, { op });
      else if (id !== undefined) await world.ask(worker, { op, id });
    },
);

const storm = fc.tuple(someWorker, fc.constantFrom<Weather>('good', 'refuses', 'loses', 'hangs', 'slow')).map(
  ([worker, weather]): Act =>
    ({ world }) =>
      world.weather(worker, weather),
);

const dying = fc.tuple(someWorker, fc.boolean()).map(
  ([worker, gently]): Act =>
    async ({ world }) => {
      if (gently) {
        const stopped = world.member(worker).worker.stop();
        await world.pass(5000, 500);
        await stopped;
      }
      world.crash(worker);
      await world.up(worker);
    },
);

const waiting = fc.integer({ min: 100, max: 45_000 }).map(
  (ms): Act =>
    ({ world }) =>
      world.pass(ms, 500),
);

const calm = fc.oneof(
  { weight: 4, arbitrary: adding },
  { weight: 3, arbitrary: ending },
  { weight: 1, arbitrary: talking },
  { weight: 1, arbitrary: asking },
  { weight: 3, arbitrary: waiting },
);
const rough = fc.oneof(
  { weight: 5, arbitrary: calm },
  { weight: 2, arbitrary: storm },
  { weight: 1, arbitrary: dying },
);

/** Short ones show nothing that the other tests do not. */
function history(act: fc.Arbitrary<Act>): fc.Arbitrary<Act[]> {
  return fc.array(act, { minLength: 10, maxLength: 60, size: 'max' });
}

async function live(acts: readonly Act[]): Promise<Story> {
  const story: Story = { world: new World(plan), accepted: new Set() };
  for (const worker of WORKERS) await story.world.up(worker);
  for (const act of acts) await act(story);
  return story;
}

/** The weather clears, every program ends well, and time passes. */
async function settle({ world }: Story): Promise<void> {
  for (const worker of WORKERS) world.weather(worker, 'good');
  let quiet = 0;
  for (let n = 0; n < 120 && quiet < 3; n += 1) {
    for (const attempt of world.processes.live) if (!attempt.stopping) world.end(attempt, { code: 0 });
    await world.pass(5000, 1000);
    const counts = Object.values(await world.shared.counts());
    const memories = await Promise.all(WORKERS.map((worker) => world.member(worker).memory.counts()));
    const open =
      counts.some(({ counts: { created, retry, active } }) => created + retry + active > 0) ||
      memories.some((memory) => Object.keys(memory).length > 0);
    quiet = open ? 0 : quiet + 1;
  }
}

function check({ world }: Story): void {
  expect(world.processes.broken).toEqual([]);
  expect(world.failures).toEqual([]);
}

describe('in any order of events', () => {
  test('no two attempts of a job live, no limit is exceeded, and no job that was accepted is lost', async () => {
    await fc.assert(
      fc.asyncProperty(history(rough), async (acts) => {
        const story = await live(acts);
        check(story);
        await settle(story);
        check(story);
        for (const worker of WORKERS) {
          expect(await story.world.member(worker).memory.counts()).toEqual({});
        }
        for (const id of story.accepted) {
          const job = await story.world.shared.get(id);
          expect(job?.state).toMatch(/^(completed|failed|cancelled)$/);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('with a store that answers, a job that ends well has done so once, and nobody is refused', async () => {
    await fc.assert(
      fc.asyncProperty(history(calm), async (acts) => {
        const story = await live(acts);
        await settle(story);
        check(story);
        expect(Math.max(0, ...story.world.processes.finished.values())).toBeLessThanOrEqual(1);
        expect(story.world.notes).toEqual([]);
      }),
      { numRuns: 15 },
    );
  });
});
