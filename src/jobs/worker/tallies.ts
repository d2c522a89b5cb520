/** How attempts ended, counted since this worker started: for whoever draws curves. */
import { JOB_BUCKETS, type JobTally } from '../../protocol/jobs.ts';
import type { Outcome } from './outcome.ts';

/** Of the numbers in the results of one type: a program that invents names shall not fill anybody's memory. */
const MOST_FIELDS = 16;
const FIELD = /^[a-zA-Z]\w{0,39}$/;

interface Counted {
  readonly finished: Record<string, number>;
  readonly failed: Record<string, number>;
  readonly durations: number[];
  seconds: number;
  readonly sums: Record<string, number>;
}

export class Tallies {
  readonly #types = new Map<string, Counted>();

  /** @param ms how long the attempt took */
  count(type: string, outcome: Outcome, ms: number): void {
    if (outcome.kind === 'lost' || outcome.kind === 'released') return;
    const own = this.#of(type);
    const seconds = ms / 1000;
    const index = JOB_BUCKETS.findIndex((most) => seconds <= most);
    const slot = index < 0 ? JOB_BUCKETS.length : index;
    own.durations[slot] = (own.durations[slot] ?? 0) + 1;
    own.seconds += seconds;
    if (outcome.kind === 'failed') {
      add(own.failed, outcome.failure.reason);
      if (outcome.retryAt !== undefined) return;
    }
    add(own.finished, outcome.kind);
    if (outcome.kind === 'completed') addNumbers(own.sums, outcome.result);
  }

  /** Undefined: none of it has ended here. */
  of(type: string): JobTally | undefined {
    return this.#types.get(type);
  }

  #of(type: string): Counted {
    let own = this.#types.get(type);
    if (own === undefined) {
      const durations = Array<number>(JOB_BUCKETS.length + 1).fill(0);
      own = { finished: {}, failed: {}, durations, seconds: 0, sums: Object.create(null) };
      this.#types.set(type, own);
    }
    return own;
  }
}

function add(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

/** A sum that only grows: what is negative does not count. */
function addNumbers(sums: Record<string, number>, result: unknown): void {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return;
  for (const [field, value] of Object.entries(result)) {
    if (typeof value !== 'number' || !(value >= 0) || !FIELD.test(field)) continue;
    // A number that names something is no amount.
    if (/^(id|tool)$|_?[iI]d$/.test(field)) continue;
    if (sums[field] === undefined && Object.keys(sums).length >= MOST_FIELDS) continue;
    sums[field] = (sums[field] ?? 0) + value;
  }
}
