/**
 * One attempt from its start until nothing of its tree lives. It is over with `emptied`, not with the leader's exit: what
 * the leader leaves behind is told to go by the same ladder. SIGKILL is sent again as long as something shows itself.
 */
import { formatSize } from '../../base/size.ts';
import type { StopLadder } from '../../config/plan-runs.ts';
import type { AttemptEnded } from '../../protocol/jobs.ts';
import type { AttemptEvents, AttemptExit, AttemptPorts, AttemptProcess, AttemptStart } from './ports.ts';

/** A process may have forked between our look and our signal. ms */
const KILL_AGAIN = 1000;
/** What those have whose worker is gone: nobody hears what they say any more. ms */
const FAREWELL = 1000;

export class Attempt {
  readonly ask: AttemptStart;
  readonly #ports: AttemptPorts;
  #ladder: StopLadder;
  readonly #over: (ended: AttemptEnded) => void;
  #process: AttemptProcess | undefined;
  #exit: AttemptExit | undefined;
  /** The next rung of the ladder; -1: nobody has asked for its end. */
  #rung = -1;
  #disarm: () => void = () => undefined;
  #isStopping = false;
  #killedBy: AttemptEnded['killedBy'];

  /** @param over called once, never synchronously */
  constructor(
    ask: AttemptStart,
    ladder: StopLadder,
    ports: AttemptPorts,
    over: (ended: AttemptEnded) => void,
  ) {
    this.ask = ask;
    this.#ladder = ladder;
    this.#ports = ports;
    this.#over = over;
  }

  launch(): void {
    this.#process = this.#ports.launch(this.ask, this.#events());
  }

  /** `now`: the last rung at once. */
  stop(now: boolean): void {
    const isFirst = !this.#isStopping;
    this.#isStopping = true;
    if (now) this.#climbTo(this.#last);
    else if (isFirst && this.#rung < 0) this.#climbTo(0);
  }

  /** Whatever its own ladder says. */
  endSoon(): void {
    this.#isStopping = true;
    if (this.#rung >= this.#last) return;
    this.#ladder = {
      ...this.#ladder,
      rungs: [
        { signal: 'SIGTERM', wait: FAREWELL },
        { signal: 'SIGKILL', wait: KILL_AGAIN },
      ],
    };
    this.#climbTo(0, 'everything');
  }

  /** Returns how many live processes that reached. */
  kill(): number {
    this.#isStopping = true;
    return this.#climbTo(this.#last);
  }

  hold(held: boolean): void {
    this.#process?.hold(held);
  }

  get #last(): number {
    return this.#ladder.rungs.length - 1;
  }

  #events(): AttemptEvents {
    const { attempt, job } = this.ask;
    return {
      failed: (error) => {
        this.#disarm();
        this.#over({ type: 'attempt-ended', attempt, code: null, signal: null, startError: error.message });
      },
      said: (line) => this.#ports.tell({ type: 'attempt-report', attempt, line }),
      exceeded: (bytes) => {
        if (this.#isStopping || this.#exit !== undefined) return;
        this.#killedBy = 'memory';
        this.#ports.say(
          'warn',
          `${job} ${attempt} uses ${formatSize(bytes)} of memory, more than its plan allows: killing it`,
        );
        this.#climbTo(this.#last);
      },
      exited: (exit) => this.#exited(exit),
      emptied: (lastLine) => {
        this.#disarm();
        const { code = null, signal = null } = this.#exit ?? {};
        this.#over({
          type: 'attempt-ended',
          attempt,
          code,
          signal,
          ...(this.#killedBy === undefined ? {} : { killedBy: this.#killedBy }),
          ...(lastLine === undefined ? {} : { lastLine }),
        });
      },
    };
  }

  #exited(exit: AttemptExit): void {
    this.#exit = exit;
    if (exit.outOfMemory && !this.#isStopping) this.#killedBy ??= 'oom';
    // Those it leaves behind are told what it was told last; and where it was told nothing, that it is over.
    if (this.#rung < 0) this.#climbTo(0);
    else this.#signal(Math.min(this.#rung - 1, this.#last));
  }

  /** Sends a rung and sets the time of the next one; returns how many it reached. */
  #climbTo(rung: number, target?: 'everything'): number {
    this.#disarm();
    this.#rung = rung + 1;
    const isLast = rung >= this.#last;
    const wait = isLast ? KILL_AGAIN : (this.#ladder.rungs[rung]?.wait ?? 0);
    this.#disarm = this.#ports.clock.after(wait, () => this.#climbTo(Math.min(rung + 1, this.#last)));
    return this.#signal(rung, target);
  }

  #signal(rung: number, target?: 'everything'): number {
    const isLast = rung >= this.#last;
    const signal = isLast ? 'SIGKILL' : (this.#ladder.rungs[rung]?.signal ?? 'SIGKILL');
    const whom = isLast || this.#exit !== undefined ? 'everything' : (target ?? 'leader');
    return this.#process?.signal(signal, whom) ?? 0;
  }
}
