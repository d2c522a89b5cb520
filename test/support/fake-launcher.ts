import type { RunPlan, Signal } from '../../src/config/plan-runs.ts';
import type {
  Incarnation,
  IncarnationEvents,
  Launcher,
  SignalTarget,
} from '../../src/supervisor/services/ports.ts';

/** What a fake process does when a signal reaches its leader: dies of it, or nothing. */
export type Obedience = (signal: Signal) => boolean;

/** Dies of every signal at once, as a simple program does. */
export const obedient: Obedience = () => true;
/** Dies of SIGKILL alone. */
export const stubborn: Obedience = (signal) => signal === 'SIGKILL';
/** Not even of SIGKILL: stuck in the kernel. */
export const unkillable: Obedience = () => false;

/** A process that does what the test says. Ends are told synchronously: the hardest order for the runner. */
export class FakeProcess implements Incarnation {
  readonly pid: number;
  readonly run: RunPlan;
  readonly generation: number;
  readonly events: IncarnationEvents;
  /** Those that reached somebody. */
  readonly signals: string[] = [];
  /** Survivors of its group keep it from being empty until one of these reaches them. */
  survivors: Obedience | undefined;
  leaderLives = true;
  groupLives = true;
  readonly #obeys: Obedience;

  constructor(pid: number, run: RunPlan, generation: number, events: IncarnationEvents, obeys: Obedience) {
    this.pid = pid;
    this.run = run;
    this.generation = generation;
    this.events = events;
    this.#obeys = obeys;
  }

  get lives(): boolean {
    return this.leaderLives || this.groupLives;
  }

  signal(signal: Signal, target: SignalTarget): number {
    const reached =
      (this.leaderLives && target !== 'group' ? 1 : 0) + (this.survivors && target !== 'leader' ? 1 : 0);
    if (reached === 0) return 0;
    this.signals.push(`${signal} ${target}`);
    if (target !== 'leader' && this.survivors?.(signal)) this.survivors = undefined;
    if (this.leaderLives && target !== 'group' && this.#obeys(signal)) this.exit(null, signal);
    else if (!this.leaderLives && this.survivors === undefined) this.empty();
    return reached;
  }

  ready(): void {
    this.events.ready();
  }

  /** The leader ends; without survivors the group is empty at once. */
  exit(code: number | null, signal: Signal | null = null): void {
    if (!this.leaderLives) return;
    this.leaderLives = false;
    this.events.exited({ code, signal });
    if (this.survivors === undefined) this.empty();
  }

  empty(): void {
    if (!this.groupLives) return;
    this.groupLives = false;
    this.events.emptied();
  }
}

/** Starts fake processes, remembers all of them, and notices when two generations of one run live at once. */
export class FakeLauncher implements Launcher {
  readonly processes: FakeProcess[] = [];
  /** `name@generation` of every launch, failed ones included. */
  readonly launches: string[] = [];
  readonly violations: string[] = [];
  readonly #obedience = new Map<string, Obedience>();
  readonly #failures = new Map<string, Error>();
  readonly #failing: (() => void)[] = [];

  /** From now on processes of this run answer signals so. */
  obey(name: string, obeys: Obedience): void {
    this.#obedience.set(name, obeys);
  }

  /** From now on this run cannot be started; undefined: it can again. Told when `tellFailures` is called. */
  fail(name: string, error: Error | undefined): void {
    if (error === undefined) this.#failures.delete(name);
    else this.#failures.set(name, error);
  }

  tellFailures(): void {
    for (const tell of this.#failing.splice(0)) tell();
  }

  launch(
    run: RunPlan,
    generation: number,
    events: IncarnationEvents,
  ): { incarnation: Incarnation | undefined } {
    this.launches.push(`${run.name}@${generation}`);
    if (this.living(run.name).length > 0)
      this.violations.push(`${run.name}@${generation} beside a living one`);
    const error = this.#failures.get(run.name);
    if (error !== undefined) {
      this.#failing.push(() => events.failed(error));
      return { incarnation: undefined };
    }
    const obeys = this.#obedience.get(run.name) ?? obedient;
    const process = new FakeProcess(1000 + this.processes.length, run, generation, events, obeys);
    this.processes.push(process);
    return { incarnation: process };
  }

  living(name?: string): FakeProcess[] {
    return this.processes.filter(
      (process) => process.lives && (name === undefined || process.run.name === name),
    );
  }

  /** The newest process of this run. */
  last(name: string): FakeProcess {
    const process = this.processes.findLast(({ run }) => run.name === name);
    if (process === undefined) throw new Error(`${name} was never launched`);
    return process;
  }
}
