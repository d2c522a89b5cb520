/** What the schedule room needs from outside; the hall hands in the real ones. */
import type { Clock } from '../../base/clock.ts';
import type { ScheduleEnd } from '../../protocol/schedules.ts';

/** What is remembered of one schedule over restarts. */
export interface Remembered {
  /** The last moment it was due that was taken, run or not; ms since the epoch. None before it is run again. */
  readonly slot: number;
  /** The newest run that ended. */
  readonly last?: ScheduleEnd;
  /** ISO 8601, the end of the newest run that was well. */
  readonly success?: string;
  /** Times it was due and passed over. */
  readonly missed?: number;
}

export interface SchedulePorts {
  readonly clock: Clock;
  /** 0 ≤ random() < 1 */
  readonly random: () => number;
  /** From the last life of the supervisor; empty where there was none. */
  load(): Readonly<Record<string, Remembered>>;
  /** Resolves when it will outlive a crash; rejects where it cannot. Calls may overlap: the last one counts. */
  save(memory: Readonly<Record<string, Remembered>>): Promise<void>;
  /**
   * Starts its run, which is not running. What comes of it arrives at `ended`.
   * @param slot the moment it was due, ms since the epoch; undefined: a person asked for it
   */
  start(name: string, slot: number | undefined): void;
  /** Something a person should know. */
  say(level: 'info' | 'warn', text: string): void;
}
