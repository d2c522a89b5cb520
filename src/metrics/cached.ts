/** One source of figures: asked at most so often, never twice at once, and a scrape waits for it only so long. */
export interface CacheRules {
  /** An answer so young is given again. ms */
  readonly fresh: number;
  /** Older ones are no longer true. ms */
  readonly stale: number;
  /** How long a scrape waits where there is nothing younger than `stale`. ms */
  readonly patience: number;
}

export class Cached<Figures> {
  readonly #ask: () => Promise<Figures>;
  readonly #rules: CacheRules;
  readonly #now: () => number;
  #answer: { readonly at: number; readonly figures: Figures } | undefined;
  #asking: Promise<void> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Whether the last try came to an answer; undefined before the first. */
  isUp: boolean | undefined;

  /** @param now ms of a clock that only goes on */
  constructor(ask: () => Promise<Figures>, rules: CacheRules, now: () => number) {
    this.#ask = ask;
    this.#rules = rules;
    this.#now = now;
  }

  /** Undefined: there is none that is true. Never rejects. */
  async get(): Promise<Figures | undefined> {
    const { fresh, patience } = this.#rules;
    if (this.#now() - this.#askedAt >= fresh) this.#asking ??= this.#refresh();
    if (this.#known() === undefined && this.#asking !== undefined) {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, patience);
      await Promise.race([this.#asking, late.promise]);
      clearTimeout(timer);
    }
    return this.#known();
  }

  #known(): Figures | undefined {
    const answer = this.#answer;
    return answer !== undefined && this.#now() - answer.at < this.#rules.stale ? answer.figures : undefined;
  }

  async #refresh(): Promise<void> {
    this.#askedAt = this.#now();
    try {
      this.#answer = { figures: await this.#ask(), at: this.#now() };
      this.isUp = true;
    } catch {
      this.isUp = false;
    } finally {
      this.#asking = undefined;
    }
  }
}
