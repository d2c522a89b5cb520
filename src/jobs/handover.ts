/** What the memory took while it stood in goes over to the store it stood in for. */
import { messageOf } from '../base/errors.ts';
import type { HandingOver, JobStore } from './store.ts';

export type MemoryStore = JobStore & HandingOver;

export interface HandoverOptions {
  readonly durable: JobStore;
  readonly memory: MemoryStore;
  /** One call of the durable store, within so many milliseconds. @throws StoreAway */
  ask(call: (store: JobStore) => Promise<void>, ms: number): Promise<void>;
  /** From now on these are in the durable store, or may be. */
  handingOver(ids: readonly string[]): void;
  tell(text: string): void;
}

const ADOPT_MS = 20_000;
/** Jobs handed over in one transaction. */
const BATCH = 100;

export class Handover {
  readonly #options: HandoverOptions;
  #moving = false;

  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** What was active in memory at the return follows when its attempt has ended. Whether anything did. */
  async rest(): Promise<boolean> {
    if (this.#moving || this.#options.memory.takeAll(1).length === 0) return false;
    // It comes round again in a second.
    await this.all().catch(() => undefined);
    return true;
  }

  /** All but what is active. @throws StoreAway: what was not adopted by then stays in memory */
  async all(): Promise<void> {
    const { memory, ask, handingOver, tell } = this.#options;
    this.#moving = true;
    try {
      for (;;) {
        const jobs = memory.takeAll(BATCH);
        if (jobs.length === 0) return;
        const ids = jobs.map(({ id }) => id);
        handingOver(ids);
        await memory.noteHandedOver(ids);
        await ask((store) => store.adopt(jobs), ADOPT_MS);
        // On a full disk they stay in the journal, and are found to be there already at the next start.
        await memory.forget(ids).catch((error: unknown) => {
          tell(`the journal of jobs cannot be written: ${messageOf(error)}`);
        });
      }
    } finally {
      this.#moving = false;
    }
  }
}
