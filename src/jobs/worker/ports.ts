/** What the worker needs of the world outside, and nothing more. */

/** PID 1, which starts every attempt and ends every tree. An attempt's name is `<jobId>/<number>`. */
export interface Attempts {
  start(attempt: string, job: string, number: number, data: unknown): void;
  /** By the ladder of its plan; `now`: SIGKILL to all of it. What is gone already is fine. */
  stop(attempt: string, now: boolean): void;
}

/** A line of the worker's own log. */
export type Say = (text: string) => void;
