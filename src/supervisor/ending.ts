/** Why a supervisor ends, and what it ends with. */
import { UpExit } from '../protocol/exit-codes.ts';
import type { Ended } from './services/listener.ts';

export interface Ending {
  readonly exitCode: number;
  readonly reason: string;
  /** For the log, where a line before has told the whole reason. */
  readonly brief?: string;
}

export const ASKED: Ending = { exitCode: UpExit.ok, reason: 'asked to stop' };

/** What nobody caught leaves a state nobody knows: stopped in order and begun anew, not lived with. */
export const MISTAKEN: Ending = { exitCode: UpExit.internal, reason: 'internal error' };

const EXIT_OF: Readonly<Record<Ended['cause'], number>> = {
  criticalGaveUp: UpExit.criticalGaveUp,
  criticalUnhealthy: UpExit.criticalUnhealthy,
  taskFailed: UpExit.taskFailed,
  cannotStart: UpExit.cannotStart,
};

export function endedBy({ cause, service, reason }: Ended): Ending {
  const ending = { exitCode: EXIT_OF[cause], reason: `${service}: ${reason}` };
  return cause === 'taskFailed' ? { ...ending, brief: `${service} failed` } : ending;
}

/** The first cause wins; having had to kill replaces only a clean end. */
export function exitCodeOf(ending: Ending, unclean: readonly string[]): number {
  return ending.exitCode === UpExit.ok && unclean.length > 0 ? UpExit.unclean : ending.exitCode;
}

/** Closing our sockets takes as long as an answer under way may take to leave, 250 ms. */
export const LOG_FLUSH_MS = 500;
const AFTER_SERVICES_MS = 250 + LOG_FLUSH_MS;

/**
 * What of the whole time, from the signal to our own exit, is for the services: the last answers and the last lines
 * come after them. A short time is shared out all the same.
 */
export function servicesShare(stopTimeout: number): number {
  return Math.max(stopTimeout - AFTER_SERVICES_MS, stopTimeout * 0.75);
}
