/**
 * Answers that only a child of PID 1 knows. A look takes a process and some hundred milliseconds, so who asks for the
 * same within a moment gets the same answer, and few look at once.
 */
import type { AskableProgram } from '../protocol/control.ts';
import type { Caller } from './caller.ts';
import type { Operate } from './operate.ts';
import { Problem } from './problem.ts';
import { type Input, runProgram } from './run-program.ts';
import { createSlots, standingOf } from './standing.ts';

export interface Readings {
  /** Everything the program answers. @param freshMs an answer may be so old */
  read(caller: Caller, program: AskableProgram, input?: Input, freshMs?: number): Promise<readonly unknown[]>;
  /** Something has changed: what was seen before is nobody's answer any more. */
  forget(): void;
}

const FRESH_MS = 3000;
/** Each is a process. */
const MOST_AT_ONCE = { stranger: 0, anybody: 2, viewer: 3, operator: 3, admin: 3 };
const MOST_REMEMBERED = 20;
const LONGEST_MS = 60_000;

interface Reading {
  readonly answer: Promise<readonly unknown[]>;
  /** Undefined: it is under way. */
  endedAt: number | undefined;
}

/** @param now milliseconds of a clock that only goes on */
export function createReadings(operate: Pick<Operate, 'runs'>, now: () => number): Readings {
  const readings = new Map<string, Reading>();
  const slots = createSlots(MOST_AT_ONCE, {
    code: 'busy',
    what: 'questions of this kind are being answered',
    retryAfter: 2,
  });

  function forget(key: string, reading: Reading): void {
    if (readings.get(key) === reading) readings.delete(key);
  }

  async function look(program: AskableProgram, input: Input): Promise<readonly unknown[]> {
    const over = AbortSignal.timeout(LONGEST_MS);
    try {
      return await runProgram(operate, program, input, over);
    } catch (error) {
      if (!over.aborted) throw error;
      throw new Problem(504, 'timed-out', `there was no answer within ${LONGEST_MS / 1000} s`);
    }
  }

  return {
    forget: () => readings.clear(),
    read(caller, program, input = {}, freshMs = FRESH_MS) {
      const key = JSON.stringify([program, input]);
      const known = readings.get(key);
      if (known && (known.endedAt === undefined || now() - known.endedAt < freshMs)) return known.answer;
      const leave = slots.take(standingOf(caller));
      const reading: Reading = {
        answer: look(program, input).finally(leave),
        endedAt: undefined,
      };
      readings.delete(key);
      readings.set(key, reading);
      const [oldest] = readings.keys();
      if (readings.size > MOST_REMEMBERED && oldest !== undefined) readings.delete(oldest);
      const end = (): void => {
        reading.endedAt = now();
        // An answer may be a megabyte, and nobody is given it later.
        setTimeout(() => forget(key, reading), freshMs).unref();
      };
      // A failure is asked for again at once.
      reading.answer.then(end, () => forget(key, reading));
      return reading.answer;
    },
  };
}
