/** Promises for conditions, asked again when something changed: nobody polls. */
export class Waiters {
  readonly #checks = new Set<() => void>();

  /** Resolves when `test` holds; rejects with what it throws, or with the signal's reason when that aborts. */
  until(test: () => boolean, signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (signal?.aborted === true) {
      reject(signal.reason);
      return promise;
    }
    const leave = (): void => {
      this.#checks.delete(check);
      signal?.removeEventListener('abort', abort);
    };
    const abort = (): void => {
      leave();
      reject(signal?.reason);
    };
    const check = (): void => {
      try {
        if (!test()) return;
        leave();
        resolve();
      } catch (error) {
        leave();
        reject(error);
      }
    };
    signal?.addEventListener('abort', abort, { once: true });
    this.#checks.add(check);
    check();
    return promise;
  }

  check(): void {
    for (const check of this.#checks) check();
  }
}
