/**
 * How much a loud service may cost while others of the product wait for a processor: a function of what was seen.
 *
 * Standard output gives way first: what Docker does with a line costs several times what we do, and the files have
 * every line all the same. Only where that is not enough is the service read more slowly, so that it waits in its
 * write. Both are one level for all services, so the loudest are meant and a quiet one never is; both are given up
 * again as soon as nobody waits.
 */

/** Bytes a second of one service; Infinity: as many as there are. */
export interface Levels {
  /** May be shown on standard output. */
  readonly shown: number;
  /** Are read. */
  readonly read: number;
}

/** Levels and what led to them; in looks, which come at a steady pace. */
export interface Restraint extends Levels {
  /** How the services that are not loud fared of late: ms in each second. */
  readonly ran: number;
  readonly waited: number;
  /** So many in a row at which nobody waited. */
  readonly calm: number;
  /** So many at which what was decided last has yet to show. */
  readonly settling: number;
  /** So many calm ones before standard output is tried again, more after each try that failed; 0: none is needed. */
  readonly patience: number;
}

/** What was seen since the last look. */
export interface Look {
  /** ms that threads of the services that are not loud ran, and that they were ready to run and did not. */
  readonly ran: number;
  readonly waited: number;
  /** ms since the last look. */
  readonly took: number;
  /** Bytes a second of the loudest service. */
  readonly loudest: number;
  /** What is not shown stands in a file. */
  readonly mayHide: boolean;
}

const SHORTEST_PATIENCE = 40;
const LONGEST_PATIENCE = 1200;
export const FREE: Restraint = {
  shown: Number.POSITIVE_INFINITY,
  read: Number.POSITIVE_INFINITY,
  ran: 0,
  waited: 0,
  calm: 0,
  settling: 0,
  patience: 0,
};

/** Of a service that is restrained, so that it is seen, and always moves. Bytes a second. */
export const LEAST_SHOWN = 2e6;
export const LEAST_READ = 10e6;

/** Others waited for this share of the time they wanted: too long. */
const TOO_LONG = 0.5;
/** Below this one nobody waits; between the two nothing is changed. */
const NOBODY = 0.38;
/** Less waiting than this, in ms a second, is none, however little they ran: a thread that wakes up waits a little. */
const NONE = 200;
/** What was seen last counts for so much of what they fared of late. */
const LATEST = 0.35;
const LESS = 0.7;
/** Slowly at first, not to be too fast at once; then faster, for they may all have gone home. */
const MORE = 1.05;
const MUCH_MORE = 1.25;
/** Nobody waited for so many looks: more is allowed faster, and a level twice as high as anybody needs is none. */
const CALM = 8;
const UNNEEDED = 2;
/** Standard output is tried again in steps of this factor. */
const MORE_SHOWN = 4;
const SETTLING_SHOWN = 3;
const SETTLING_READ = 1;

export function isFree({ shown, read }: Levels): boolean {
  return shown === Number.POSITIVE_INFINITY && read === Number.POSITIVE_INFINITY;
}

/** What is in force from now on. */
export function adjust(last: Restraint, look: Look): Restraint {
  const blend = (old: number, ms: number): number =>
    old * (1 - LATEST) + ((ms * 1000) / Math.max(1, look.took)) * LATEST;
  const [ran, waited] = [blend(last.ran, look.ran), blend(last.waited, look.waited)];
  const before = { ...last, ran, waited };
  const share = waited < NONE ? 0 : waited / (ran + waited);
  if (before.settling > 0) return { ...before, settling: before.settling - 1 };
  if (share > TOO_LONG) return tighten(before, look);
  if (share > NOBODY) return { ...before, calm: 0 };
  return loosen({ ...before, calm: before.calm + 1 }, look);
}

function tighten(before: Restraint, { loudest, mayHide }: Look): Restraint {
  if (mayHide && before.shown > LEAST_SHOWN && loudest > LEAST_SHOWN) {
    const patience = Math.min(LONGEST_PATIENCE, Math.max(SHORTEST_PATIENCE, before.patience * 2));
    return { ...before, shown: LEAST_SHOWN, calm: 0, settling: SETTLING_SHOWN, patience };
  }
  // Whoever makes them wait, it is not the logs.
  if (loudest <= LEAST_READ) return { ...before, calm: 0 };
  const read = Math.max(LEAST_READ, Math.min(before.read, loudest) * LESS);
  return { ...before, read, calm: 0, settling: SETTLING_READ };
}

function loosen(before: Restraint, { loudest }: Look): Restraint {
  const { calm, patience } = before;
  if (before.read !== Number.POSITIVE_INFINITY) {
    const read = before.read * (calm < CALM ? MORE : MUCH_MORE);
    return { ...before, read: calm >= CALM && read > loudest * UNNEEDED ? Number.POSITIVE_INFINITY : read };
  }
  if (before.shown === Number.POSITIVE_INFINITY || calm < patience) return before;
  const shown = before.shown * MORE_SHOWN;
  return { ...before, shown: shown > loudest ? Number.POSITIVE_INFINITY : shown, calm: 0 };
}
