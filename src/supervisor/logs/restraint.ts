/**
 * How much a loud service may cost while others of the product wait for a processor: a function of what was seen.
 *
 * Standard output gives way first: what Docker does with a line costs several times what we do, and the files have
 * every line all the same. Only where that is not enough is the service read more slowly, so that it waits in its
 * write. Both are one level for all services, so the loudest are meant and a quiet one never is; both are given up
 * again as soon as nobody waits.
 */

/** What one service is allowed and what led to it, the latter in looks, which come at a steady pace. */
export interface Restraint {
  /** Bytes a second that may be shown on standard output; Infinity: as many as there are. */
  readonly shown: number;
  /** The same, of those that are read. */
  readonly read: number;
  /** How the services that are not loud fared of late: ms in each second. */
  readonly ran: number;
  readonly waited: number;
  /** So many in a row at which others hardly waited, and at which they did not wait too long to read faster. */
  readonly calm: number;
  readonly easy: number;
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
  easy: 0,
  settling: 0,
  patience: 0,
};

/** Of a service that is restrained, so that it is seen, and always moves. Bytes a second. */
export const LEAST_SHOWN = 2e6;
export const LEAST_READ = 10e6;

/**
 * Shares of the time others wanted that they waited. Those of an app that is asked 50 times a second wait for one another
 * alone for 0.4 of it; beside 100 MB/s of logs that nobody shows it is 0.53, and its slowest answers take 20 ms more;
 * where they are shown as well it is 0.56 and more, and they take 80 ms more. See docs/measurements.md.
 */
const HIDE_ABOVE = 0.5;
const SLOW_ABOVE = 0.6;
const FASTER_BELOW = 0.55;
const SHOW_BELOW = 0.45;
/** Less waiting than this, in ms a second, is none, however little they ran: a thread that wakes up waits a little. */
const NONE = 200;
/** What was seen last counts for so much of what they fared of late. */
const LATEST = 0.35;
const LESS = 0.7;
/** Slowly at first, not to be too fast at once; then faster, for they may all have gone home. */
const MORE = 1.05;
const MUCH_MORE = 1.25;
/** After so many easy looks more is allowed faster, and a level twice as high as anybody needs is none. */
const EASY = 8;
const UNNEEDED = 2;
/** Standard output is tried again in steps of this factor. */
const MORE_SHOWN = 4;
const SETTLING_SHOWN = 3;
const SETTLING_READ = 1;

/** What is in force from now on. */
export function adjust(last: Restraint, look: Look): Restraint {
  const blend = (old: number, ms: number): number =>
    old * (1 - LATEST) + ((ms * 1000) / Math.max(1, look.took)) * LATEST;
  const [ran, waited] = [blend(last.ran, look.ran), blend(last.waited, look.waited)];
  const before = { ...last, ran, waited };
  const share = waited < NONE ? 0 : waited / (ran + waited);
  if (before.settling > 0) return { ...before, settling: before.settling - 1 };
  if (share > HIDE_ABOVE && look.mayHide && look.loudest > LEAST_SHOWN && before.shown > LEAST_SHOWN) {
    return hide(before);
  }
  if (share > SLOW_ABOVE && look.loudest > LEAST_READ) return slowDown(before, look);
  const calm = share < SHOW_BELOW ? before.calm + 1 : 0;
  const easy = share < FASTER_BELOW ? before.easy + 1 : 0;
  return loosen({ ...before, calm, easy }, look);
}

function hide(before: Restraint): Restraint {
  const patience = Math.min(LONGEST_PATIENCE, Math.max(SHORTEST_PATIENCE, before.patience * 2));
  return { ...before, shown: LEAST_SHOWN, calm: 0, easy: 0, settling: SETTLING_SHOWN, patience };
}

function slowDown(before: Restraint, { loudest }: Look): Restraint {
  const read = Math.max(LEAST_READ, Math.min(before.read, loudest) * LESS);
  return { ...before, read, calm: 0, easy: 0, settling: SETTLING_READ };
}

function loosen(before: Restraint, { loudest }: Look): Restraint {
  const { calm, easy, patience } = before;
  if (before.read !== Number.POSITIVE_INFINITY) {
    if (easy === 0) return before;
    const read = before.read * (easy < EASY ? MORE : MUCH_MORE);
    return { ...before, read: easy >= EASY && read > loudest * UNNEEDED ? Number.POSITIVE_INFINITY : read };
  }
  if (before.shown === Number.POSITIVE_INFINITY || calm < patience) return before;
  const shown = before.shown * MORE_SHOWN;
  return { ...before, shown: shown > loudest ? Number.POSITIVE_INFINITY : shown, calm: 0 };
}
