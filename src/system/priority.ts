/**
 * Scheduling priority, and the score by which the kernel chooses whom to kill for want of memory. Both are inherited,
 * so what may be refused is set on us for the moment of the spawn: a program that cannot have it is never started.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { Failure } from '../base/errors.ts';

export interface Priority {
  /** -20 (first) to 19 (most patient); undefined: ours. */
  readonly nice?: number | undefined;
  /** -1000 (never) to 1000 (first); undefined: ours. */
  readonly oomScoreAdj?: number | undefined;
}

const OWN_SCORE = '/proc/self/oom_score_adj';
const CANNOT_START = 13;

/**
 * Starts something that has this score, and this priority where that is above ours; must be synchronous. More patience
 * is never refused, but could not be taken back from us without CAP_SYS_NICE: see `makePatient`.
 * @throws Failure where the kernel refuses to let it go before others: nothing is started then.
 */
export function withPriority<T>({ nice, oomScoreAdj }: Priority, start: () => T): T {
  const ownNice = nice === undefined ? 0 : getPriority();
  const withScore = (): T => {
    if (oomScoreAdj === undefined) return start();
    const ownScore = readOwnOomScore();
    if (oomScoreAdj === ownScore) return start();
    ask('oom_score_adj', oomScoreAdj, ownScore, 'SYS_RESOURCE', () => writeScore(oomScoreAdj));
    try {
      return start();
    } finally {
      // Back to where we were is always allowed.
      writeScore(ownScore);
    }
  };
  if (nice === undefined || nice >= ownNice) return withScore();
  try {
    ask('nice', nice, ownNice, 'SYS_NICE', () => setPriority(nice));
  } catch (error) {
    // Patience is asked for the sake of others, and here everybody has more of it.
    if (nice >= 0) return withScore();
    throw error;
  }
  try {
    return withScore();
  } finally {
    setPriority(ownNice);
  }
}

function ask(word: string, value: number, ours: number, capability: string, set: () => void): void {
  try {
    set();
  } catch (error) {
    throw new Failure(`cannot set ${word} to ${value}: only ${ours} and more is allowed here`, {
      code: 'refused-priority',
      exitCode: CANNOT_START,
      remedy: `start the container with --cap-add ${capability}, or write ${ours} or more`,
      cause: error,
    });
  }
}

/** By how much `nice` asks for more patience than we have ourselves; 0: it does not. */
export function patienceOf(nice: number | undefined): number {
  return nice === undefined ? 0 : Math.max(0, nice - getPriority());
}

/** So much more, for a child of our own user or by CAP_SYS_NICE: it can fail only where the child is gone. */
export function makePatient(pid: number, patience: number): void {
  try {
    setPriority(pid, getPriority() + patience);
  } catch {
    // It is dead.
  }
}

/** A default nobody asked for: best effort. Raising is always allowed, lowering needs CAP_SYS_RESOURCE. */
export function setOomScore(pid: number, score: number | undefined): void {
  if (score === undefined) return;
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(score));
  } catch {
    // It runs, only not with that score.
  }
}

/** 0 where the kernel tells nothing. */
export function readOwnOomScore(): number {
  try {
    return Number(readFileSync(OWN_SCORE, 'latin1')) || 0;
  } catch {
    return 0;
  }
}

function writeScore(score: number): void {
  writeFileSync(OWN_SCORE, String(score));
}
