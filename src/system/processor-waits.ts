/** How long the threads of the processes we started have waited for a processor: read from /proc when somebody asks. */
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { listFamilies } from './families.ts';
import { shareOut } from './share-out.ts';

/** Processes and threads that have come since are found so late. ms */
const SEARCH_MS = 2000;
/** What neither ran nor waited so long between two searches is not asked in between. ms */
const IDLE_MS = 1;
/** No more are read at once, shared among the services: what takes the time of those that wait is no help. */
const MOST_THREADS = 256;
const NS = 1e6;

interface Thread {
  readonly service: string;
  /** ms since it began */
  ran: number;
  waited: number;
  /** The same, at the last search. */
  ranThen: number;
  waitedThen: number;
  isAsked: boolean;
}

export interface Waits {
  /** ms */
  readonly ran: number;
  readonly waited: number;
}

export class ProcessorWaits {
  readonly #mono: () => number;
  #threads = new Map<string, Thread>();
  #searchedAt = Number.NEGATIVE_INFINITY;

  constructor(mono: () => number) {
    this.#mono = mono;
  }

  /**
   * Of all threads of the services that count: ms that they ran, and that they were ready to run and did not, since
   * the last call; what a thread did before it was found is not counted. Undefined where the kernel keeps no such
   * record (CONFIG_SCHED_INFO). A process that is more patient than we are (nice) does not count.
   */
  read(counts: (service: string) => boolean): Waits | undefined {
    if (readTimes('/proc/self/schedstat') === undefined) return undefined;
    const now = this.#mono();
    if (now - this.#searchedAt >= SEARCH_MS) {
      this.#searchedAt = now;
      this.#search();
    }
    let [ran, waited] = [0, 0];
    for (const [path, thread] of this.#threads) {
      const times = thread.isAsked ? readTimes(path) : undefined;
      if (times === undefined) continue;
      if (counts(thread.service)) {
        ran += times.ran - thread.ran;
        waited += times.waited - thread.waited;
      }
      thread.ran = times.ran;
      thread.waited = times.waited;
    }
    return { ran, waited };
  }

  #search(): void {
    const found = new Map<string, Thread>();
    const own = getPriority();
    const paths = new Map<string, string[]>();
    const wants = (service: string): boolean => (paths.get(service)?.length ?? 0) < MOST_THREADS;
    for (const { service, pid } of listFamilies(wants)) {
      if (!wants(service) || isPatient(pid, own)) continue;
      paths.set(service, [...(paths.get(service) ?? []), ...listThreads(pid)]);
    }
    for (const { of: service, one: path } of shareOut(paths, MOST_THREADS)) {
      const times = readTimes(path);
      if (times === undefined) continue;
      const known = this.#threads.get(path);
      const isAsked =
        known === undefined ||
        times.ran - known.ranThen >= IDLE_MS ||
        times.waited - known.waitedThen >= IDLE_MS;
      const { ran, waited } = isAsked && known?.isAsked ? known : times;
      found.set(path, { service, ran, waited, ranThen: times.ran, waitedThen: times.waited, isAsked });
    }
    this.#threads = found;
  }
}

function isPatient(pid: number, own: number): boolean {
  try {
    return getPriority(pid) > own;
  } catch {
    // It has just ended.
    return true;
  }
}

function listThreads(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/schedstat`);
  } catch {
    return [];
  }
}

/** See Documentation/scheduler/sched-stats.rst of the kernel: ns on a processor, ns waiting for one, and how often. */
function readTimes(path: string): Waits | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
  const [ran, waited] = text.split(' ').map(Number);
  if (ran === undefined || waited === undefined || Number.isNaN(ran + waited)) return undefined;
  return { ran: ran / NS, waited: waited / NS };
}
