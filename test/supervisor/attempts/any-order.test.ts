import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StopLadder } from '../../../src/config/plan-runs.ts';
import type { ToWorker } from '../../../src/protocol/jobs.ts';
import { Attempts } from '../../../src/supervisor/attempts/attempts.ts';
import type { AttemptEvents, AttemptStart } from '../../../src/supervisor/attempts/ports.ts';
import { manualClock } from '../../support/clock.ts';

const LADDER: StopLadder = {
  rungs: [
    { signal: 'SIGTERM', wait: 5000 },
    { signal: 'SIGKILL', wait: 2000 },
  ],
  target: 'leader-then-group',
  reserve: 0,
};

/** A tree: whether its leader lives, and how many others; a stubborn one goes only by SIGKILL to everything. */
interface Tree {
  readonly attempt: string;
  readonly worker: number;
  readonly stubborn: boolean;
  readonly events: AttemptEvents;
  leader: boolean;
  others: number;
  killed: boolean;
}

/** The room in a world where processes die by what they are sent, but only when time moves on. */
class World {
  readonly clock = manualClock();
  readonly trees: Tree[] = [];
  readonly starts = new Map<string, number>();
  readonly ends = new Map<string, number>();
  worker = 0;
  living = false;
  clearing = false;
  held = false;
  readonly attempts = new Attempts({
    clock: this.clock,
    ladderOf: (job) => (job === 'none' ? undefined : LADDER),
    notYet: (job) => (job === 'early' ? 'not yet' : undefined),
    most: () => 4,
    tell: (message: ToWorker) => {
      expect(this.living).toBe(true);
      if (message.type === 'attempt-ended') this.count(this.ends, message.attempt);
    },
    say: () => undefined,
    launch: (ask, events) => this.launch(ask, events),
  });

  launch(ask: AttemptStart, events: AttemptEvents) {
    if (ask.job === 'broken') {
      this.clock.after(0, () => events.failed(new Error('no such program')));
      return undefined;
    }
    const tree: Tree = {
      attempt: ask.attempt,
      worker: this.worker,
      stubborn: ask.job === 'stubborn',
      events,
      leader: true,
      others: ask.job === 'forks' || ask.job === 'stubborn' ? 2 : 0,
      killed: false,
    };
    expect(this.trees.filter((other) => other.attempt === tree.attempt)).toEqual([]);
    this.trees.push(tree);
    return {
      hold: () => undefined,
      signal: (signal: string, target: string) => {
        if (!this.trees.includes(tree)) return 0;
        if (signal === 'SIGKILL' && target === 'everything') tree.others = 0;
        if (signal !== 'SIGKILL' && tree.stubborn) return 1;
        if (target === 'everything') tree.others = 0;
        if (tree.leader) this.clock.after(1, () => this.exit(tree));
        else this.clock.after(1, () => this.empty(tree));
        return 1;
      },
    };
  }

  exit(tree: Tree): void {
    if (!tree.leader) return;
    tree.leader = false;
    tree.events.exited({ code: 0, signal: null, outOfMemory: false });
    this.clock.after(1, () => this.empty(tree));
  }

  empty(tree: Tree): void {
    if (tree.leader || tree.others > 0 || !this.trees.includes(tree)) return;
    this.trees.splice(this.trees.indexOf(tree), 1);
    tree.events.emptied(undefined);
  }

  begin(): void {
    if (this.living || this.clearing) return;
    expect(this.trees).toEqual([]);
    this.worker += 1;
    this.living = true;
    this.attempts.begin();
  }

  start(job: string, attempt: string): void {
    // An attempt's name comes again only when the one before it has ended.
    if (this.living && (this.starts.get(attempt) ?? 0) === (this.ends.get(attempt) ?? 0)) {
      this.count(this.starts, attempt);
    }
    this.attempts.start({ type: 'attempt-start', attempt, job, number: 1, data: {} });
  }

  endWorker(): void {
    if (!this.living) return;
    this.living = false;
    this.clearing = true;
    this.attempts.end();
    this.attempts.whenEmpty(() => {
      expect(this.trees).toEqual([]);
      this.clearing = false;
    });
    // What a worker has started and not heard of is nobody's any more.
    this.starts.clear();
    this.ends.clear();
  }

  count(counts: Map<string, number>, name: string): void {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}

const attempt = fc.constantFrom('a/1', 'b/1', 'c/1', 'd/1', 'e/1', 'f/1');
const move = fc.oneof(
  fc.record({ what: fc.constant('begin' as const) }),
  fc.record({ what: fc.constant('endWorker' as const) }),
  fc.record({
    what: fc.constant('start' as const),
    attempt,
    job: fc.constantFrom('plain', 'forks', 'stubborn', 'broken', 'none', 'early'),
  }),
  fc.record({ what: fc.constant('stop' as const), attempt, now: fc.boolean() }),
  fc.record({ what: fc.constant('exit' as const), attempt }),
  fc.record({ what: fc.constant('exceed' as const), attempt }),
  fc.record({ what: fc.constant('kill' as const) }),
  fc.record({ what: fc.constant('hold' as const), held: fc.boolean() }),
  fc.record({ what: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3000 }) }),
);

test('in any order: one tree per attempt, one end per start, and no worker beside the trees of another', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const world = new World();
      for (const each of moves) {
        const tree = 'attempt' in each ? world.trees.find((one) => one.attempt === each.attempt) : undefined;
        if (each.what === 'begin') world.begin();
        else if (each.what === 'endWorker') world.endWorker();
        else if (each.what === 'start') world.start(each.job, each.attempt);
        else if (each.what === 'stop') world.attempts.stop(each.attempt, each.now);
        else if (each.what === 'kill') world.attempts.kill();
        else if (each.what === 'hold') world.attempts.hold(each.held);
        else if (each.what === 'exit') {
          if (tree) world.exit(tree);
        } else if (each.what === 'exceed') tree?.leader && tree.events.exceeded(1e9);
        else world.clock.advance(each.ms);
        expect(world.trees.length).toBeLessThanOrEqual(4);
        expect(world.trees.every(({ worker }) => worker === world.worker)).toBe(true);
      }
      // Whoever was told to stop has gone a second after its last rung; here all are.
      for (const tree of [...world.trees]) world.attempts.stop(tree.attempt, false);
      world.clock.advance(LADDER.rungs[0]?.wait ?? 0);
      world.clock.advance(1000);
      expect(world.trees).toEqual([]);
      expect(world.clearing).toBe(false);
      expect(world.ends).toEqual(world.starts);
    }),
    { numRuns: 2000 },
  );
});
