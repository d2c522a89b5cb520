import type { LogLine } from '../protocol/control.ts';

/** Lines leave together, so many at most: nobody reads more, and a page shall not drown. */
const MOST_LINES = 500;
/** What was fetched may come once more by the stream, so much later; ms. */
const LATE_MS = 2000;

/** Lines of one listener that leave with the next batch. */
export class PendingLines {
  readonly #services: ReadonlySet<string> | undefined;
  #lines: LogLine[] = [];
  #dropped = 0;
  #fetched: Map<string, number> | undefined;
  #isHeld = true;

  /** @param services undefined: of all */
  constructor(services: readonly string[] | undefined) {
    this.#services = services && new Set(services);
  }

  /** Lines of before are still being fetched: until `begin` none leaves. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  add(line: LogLine): void {
    if (!this.#wants(line) || this.#wasFetched(line)) return;
    if (this.#lines.length < MOST_LINES) this.#lines.push(line);
    else this.#dropped += 1;
  }

  /** What was added so far will be among what is fetched. */
  forget(): void {
    this.#lines = [];
  }

  /** @param older go before all that was added; @param overlap and some of that may be among them */
  begin(older: readonly LogLine[], overlap: boolean): void {
    const before = older.filter((line) => this.#wants(line));
    const added = this.#lines;
    if (overlap) {
      this.#fetched = countLines(before);
      setTimeout(() => {
        this.#fetched = undefined;
      }, LATE_MS).unref();
    }
    this.#lines = before.slice(-MOST_LINES);
    for (const line of added) this.add(line);
    this.#isHeld = false;
  }

  /** Undefined: there is nothing to send. */
  take(): { readonly lines: readonly LogLine[]; readonly dropped?: number } | undefined {
    if (this.#isHeld || (this.#lines.length === 0 && this.#dropped === 0)) return undefined;
    const batch = { lines: this.#lines, ...(this.#dropped === 0 ? {} : { dropped: this.#dropped }) };
    this.#lines = [];
    this.#dropped = 0;
    return batch;
  }

  #wants({ service }: LogLine): boolean {
    return this.#services?.has(service) ?? true;
  }

  #wasFetched(line: LogLine): boolean {
    const key = this.#fetched === undefined ? '' : JSON.stringify(line);
    const left = this.#fetched?.get(key) ?? 0;
    if (left > 0) this.#fetched?.set(key, left - 1);
    return left > 0;
  }
}

function countLines(lines: readonly LogLine[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) {
    const key = JSON.stringify(line);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
