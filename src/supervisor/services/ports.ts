/** What the services room needs from outside; the hall hands in the real ones, tests hand in fakes. */
import type { RunPlan, Signal } from '../../config/plan-runs.ts';
import type { Report } from '../../protocol/channel.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: Signal | null;
}

/** What a running incarnation tells, each at most once, in this order: ready?, exited, emptied; or failed alone. */
export interface IncarnationEvents {
  /** It could not be started at all (ENOENT, EACCES, EAGAIN, unknown user …); nothing lives. */
  failed(error: Error): void;
  /** It said so itself: newline on its ready fd. */
  ready(): void;
  /** It said that it is stopping by itself. Unlike the others it may come again, and so may the next. */
  announced(): void;
  /** It asked for time, in ms from now, for its start or its stop. */
  extended(ms: number): void;
  /** One of our own programs said something on fd 3. */
  report(report: Report): void;
  /** The leader was reaped. */
  exited(exit: Exit): void;
  /** After `exited`: no live process of its group, session or adopted descendants remains. */
  emptied(): void;
}

/** `leader`: the process itself; `group`: what is left of its group; `everything`: also session and escapees. */
export type SignalTarget = 'leader' | 'group' | 'everything';

export interface Incarnation {
  readonly pid: number;
  /** Sends; returns how many live processes it reached, 0 when all are gone. */
  signal(signal: Signal, target: SignalTarget): number;
}

export interface Launcher {
  /** Starts one generation of a run. Never throws: what goes wrong arrives as `failed`, never synchronously. */
  launch(
    run: RunPlan,
    generation: number,
    events: IncarnationEvents,
  ): { readonly incarnation: Incarnation | undefined };
}
