/** Hands requests about jobs to the worker and its answers back. What they say is theirs: nothing is read but the id. */
import type { Clock } from '../../base/clock.ts';
import type { JobsAnswer, JobsRefusal, JobsRequest, ToWorker } from '../../protocol/jobs.ts';

/** How long an answer is waited for. ms */
const PATIENCE = 10_000;
/** More are told to come back: each may be 64 KB. */
const MOST_WAITING = 256;

export interface Away {
  readonly why: string;
  readonly remedy?: string;
}

export interface RelayPorts {
  readonly clock: Pick<Clock, 'after'>;
  /** Why the worker cannot be asked now, and what helps but time; undefined: it can. */
  away(): Away | undefined;
  tell(message: ToWorker): void;
}

export class Relay {
  readonly #ports: RelayPorts;
  readonly #waiting = new Map<number, (answer: JobsAnswer) => void>();
  #last = 0;

  constructor(ports: RelayPorts) {
    this.#ports = ports;
  }

  /** Never rejects. */
  ask(request: JobsRequest): Promise<JobsAnswer> {
    const away = this.#ports.away();
    if (away !== undefined) return Promise.resolve(workerAway(away.why, away.remedy));
    if (this.#waiting.size >= MOST_WAITING) {
      return Promise.resolve(workerAway(`${MOST_WAITING} requests wait for the worker already`));
    }
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      const disarm = this.#ports.clock.after(PATIENCE, () =>
        this.answered(id, workerAway(`the worker has not answered for ${PATIENCE / 1000} s`)),
      );
      this.#waiting.set(id, (answer) => {
        disarm();
        resolve(answer);
      });
      this.#ports.tell({ type: 'jobs-request', id, request });
    });
  }

  /** An answer that nobody waits for any more is passed over. */
  answered(id: number, answer: JobsAnswer): void {
    const resolve = this.#waiting.get(id);
    this.#waiting.delete(id);
    resolve?.(answer);
  }

  /** The worker is gone; whether it did what it was asked, nobody knows. */
  end(): void {
    for (const id of [...this.#waiting.keys()]) {
      this.answered(id, workerAway('the worker ended before it answered'));
    }
  }
}

function workerAway(message: string, remedy = 'try again in a moment; see bulkhead status'): JobsRefusal {
  return {
    ok: false,
    code: 'worker-away',
    message: `cannot ask about jobs: ${message}`,
    remedy,
    retryAfter: 1,
  };
}
