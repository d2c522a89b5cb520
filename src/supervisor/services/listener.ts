import type { Report } from '../../protocol/channel.ts';
import type { StatusWord } from '../../protocol/status.ts';
import type { Exit } from './ports.ts';
import type { Cause, EndedCause } from './state.ts';

/** Why the container has to end, by the names of UpExit. */
export interface Ended {
  readonly cause: EndedCause;
  readonly service: string;
  /** "gave up: crashed 5 times in 2 min (exit 1)" */
  readonly reason: string;
}

/**
 * What the hall is told, each after the state was written. A listener may call back into Services: what it asks is
 * done after the current step. One that throws is reported to `misbehaved` and changes nothing.
 */
export interface ServicesListener {
  /** The status word of a run changed. */
  changed?(name: string, from: StatusWord, to: StatusWord, reason: string): void;
  spawned?(name: string, generation: number, pid: number): void;
  /** The system refused to start it; `reason` without a final stop. What follows is a failure like any other. */
  startFailed?(name: string, generation: number, reason: string): void;
  /** The leader was reaped; `asked`: by a stop, a restart or the shutdown; `cause`: why it ended, in the machine's words. Others of its group may still live. */
  exited?(name: string, generation: number, exit: Exit, asked: boolean, cause: Cause | undefined): void;
  /** Nothing of this generation lives any more. */
  emptied?(name: string, generation: number): void;
  /** From here on its health check is wanted; until `checksUnwanted`, which comes before its stop and after its end. */
  checksWanted?(name: string, generation: number): void;
  checksUnwanted?(name: string, generation: number): void;
  becameReady?(name: string, generation: number): void;
  /** It ended by itself and that is well: a task did its work. */
  finished?(name: string, generation: number): void;
  /** No more tries, until a person asks or the slow retry. */
  gaveUp?(name: string, reason: string): void;
  /** Replicas of this service were being restarted one after the other for a new plan; `left` had no turn. */
  rollHalted?(group: string, reason: string, left: readonly string[]): void;
  /** One of our own programs said something. */
  reported?(name: string, generation: number, report: Report): void;
  /** Once: every critical run is ready or done. Milliseconds since startAll. */
  booted?(ms: number): void;
  /** Once: every run is ready, done, or has failed at least once; never after `ended`. */
  settled?(): void;
  /** Once, the first cause: the hall has to shut down and end with this cause's code. */
  ended?(ended: Ended): void;
  /** An internal error that was survived; for the log. */
  misbehaved?(text: string): void;
}
