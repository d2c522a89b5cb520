/** What the health room needs from outside; the hall hands in the real ones, tests hand in fakes. */
import type { Text } from '../../config/plan-text.ts';

export interface ProbeExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** The last thing it wrote, for people. */
  readonly lastLine: string | undefined;
}

/** It answered that it is at work on itself (a database that recovers): not well, but no restart would help. */
export interface Busy {
  readonly busy: string;
}

export interface HealthPorts {
  /** Fills the late values of a service's text. May throw: then the probe has failed. */
  fill(service: string, text: Text): string;
  /** The text of a small file; undefined where it is missing, or closed to us. */
  readFile(path: string): string | undefined;
  /**
   * Runs a probe's command as its service, with its environment and folder. An abort kills its whole group; it
   * settles only when nothing of it lives. Rejects when it cannot be started.
   */
  runProbe(service: string, argv: readonly string[], signal: AbortSignal): Promise<ProbeExit>;
}

/** Tells what came of one probe. */
export interface CheckEvents {
  /** It answered well, after so many ms. */
  passed(name: string, generation: number, ms: number): void;
  /** `wentDown`: this failure is the one that makes the check down; it is told once, until a success. */
  failed(name: string, generation: number, error: string, wentDown: boolean): void;
  /** It was well and is at work on itself now; told once, until a success or a failure that counts. */
  busy(name: string, generation: number, what: string): void;
}
