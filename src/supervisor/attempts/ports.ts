/** What the attempts room needs from outside; the hall hands in the real ones, tests hand in fakes. */
import type { Clock } from '../../base/clock.ts';
import type { Signal, StopLadder } from '../../config/plan-runs.ts';
import type { FromWorker, ToWorker } from '../../protocol/jobs.ts';

export type AttemptStart = Extract<FromWorker, { readonly type: 'attempt-start' }>;

export interface AttemptExit {
  readonly code: number | null;
  readonly signal: Signal | null;
  /** The kernel killed it for want of memory. */
  readonly outOfMemory: boolean;
}

/** Either `failed` alone, or lines, then `exited`, then `emptied`. Never called synchronously. */
export interface AttemptEvents {
  /** It could not be started at all; nothing lives. */
  failed(error: Error): void;
  /** A JSON line on its descriptor 3. */
  said(line: object): void;
  /** It uses more memory than its plan allows. */
  exceeded(bytes: number): void;
  /** The leader was reaped. */
  exited(exit: AttemptExit): void;
  /** Nothing of its group, its session or its descendants lives. */
  emptied(lastLine: string | undefined): void;
}

export interface AttemptProcess {
  /** Returns how many live processes it reached. */
  signal(signal: Signal, target: 'leader' | 'everything'): number;
  /** Whether its lines are read: one that speaks faster than the worker hears has to wait. */
  hold(held: boolean): void;
}

export interface AttemptPorts {
  readonly clock: Pick<Clock, 'after'>;
  /** What goes wrong arrives as `failed`. */
  launch(ask: AttemptStart, events: AttemptEvents): AttemptProcess | undefined;
  /** How a job of this type is stopped; undefined: the plan has none of the name. */
  ladderOf(job: string): StopLadder | undefined;
  /** Why none of this type can be started yet, though it may be soon. */
  notYet(job: string): string | undefined;
  /** How many may live at once. */
  most(): number;
  /** To the worker that lives. */
  tell(message: ToWorker): void;
  say(level: 'warn' | 'error', text: string): void;
}
