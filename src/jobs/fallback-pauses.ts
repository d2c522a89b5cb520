/** What is paused, across the changes of the store: a pause that people asked for holds wherever the queue lives. */
import type { JobStore, Paused } from './store.ts';

export class Pauses {
  /** Of the durable store, as far as it has said. */
  #seen: Paused = { all: false, types: [] };
  #changedWhileAway = false;

  /** What a store said of its pauses. */
  saw(paused: Paused, isAway: boolean): void {
    if (isAway) this.#changedWhileAway = true;
    else this.#seen = paused;
  }

  /** The memory stands in from now on. */
  async leave(memory: JobStore): Promise<void> {
    this.#changedWhileAway = false;
    await setPaused(memory, this.#seen);
  }

  /** What people changed meanwhile goes over. @throws whatever `ask` does */
  async carryBack(memory: JobStore, ask: (call: (store: JobStore) => Promise<void>) => Promise<void>) {
    if (!this.#changedWhileAway) return;
    const paused = await memory.paused();
    await ask((store) => setPaused(store, paused));
  }
}

/** Pauses first what is to be paused: nobody claims in between what must not run. */
async function setPaused(store: JobStore, wanted: Paused): Promise<void> {
  const now = await store.paused();
  // This one lifts all others.
  if (now.all && !wanted.all) await store.resume();
  if (wanted.all) await store.pause();
  for (const type of wanted.types) await store.pause(type);
  for (const type of now.types) if (!wanted.types.includes(type)) await store.resume(type);
}
