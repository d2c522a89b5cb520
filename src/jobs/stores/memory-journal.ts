/** The memory's journal: what makes it outlive a restart, and the word on whether it does. */
import { messageOf } from '../../base/errors.ts';
import type { Durability } from '../../protocol/jobs.ts';
import { JournalFile } from '../../system/journal-file.ts';
import { type ChangeLine, HEADER, type JournalLine, type MemoryJob } from './memory-job.ts';

/** Smaller journals are not worth a rewrite. */
const COMPACT_FROM_BYTES = 1024 * 1024;
/** How many times larger than what it holds it may be. */
const COMPACT_AT = 4;
/** Between two tries to write a journal again that could not be written. */
const REPAIR_MS = 5000;

export interface Replayed {
  readonly jobs: ReadonlyMap<string, MemoryJob>;
  readonly paused: readonly string[];
  readonly handedOver: ReadonlySet<string>;
}

export interface JournalOptions {
  /** Undefined: nothing is written, and the jobs are `volatile`. */
  readonly path: string | undefined;
  /** Everything that is to be kept now. */
  readonly snapshot: () => Iterable<JournalLine>;
  readonly bytes: () => number;
  readonly mono: () => number;
  /** What an operator should know. */
  readonly note: (text: string) => void;
}

export class MemoryJournal {
  readonly #options: JournalOptions;
  readonly #file: JournalFile | undefined;
  #reason: string | undefined;
  #repairAt = 0;
  #compacting: Promise<void> | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#file = options.path === undefined ? undefined : new JournalFile(options.path);
    this.#reason = this.#file ? undefined : 'it is kept in memory alone';
  }

  get durability(): Durability {
    return this.#reason === undefined ? 'journaled' : 'volatile';
  }

  get reason(): string | undefined {
    return this.#reason;
  }

  /** What the journal says; nothing where it cannot be read, which is said. */
  async replay(): Promise<Replayed> {
    const jobs = new Map<string, MemoryJob>();
    const handedOver = new Set<string>();
    let paused: readonly string[] = [];
    try {
      const { lines, torn } = (await this.#file?.read()) ?? { lines: [], torn: 0 };
      for (const line of lines as JournalLine[]) {
        if ('job' in line) jobs.set(line.job.id, line.job);
        else if ('gone' in line) jobs.delete(line.gone);
        else if ('paused' in line) paused = line.paused;
        else if ('handedOver' in line) for (const id of line.handedOver) handedOver.add(id);
        else if ('set' in line) applyChange(jobs, line);
      }
      if (torn > 0)
        this.#options.note(`${torn} bytes of the jobs' journal were torn by a crash and are left out`);
    } catch (error) {
      this.#fail('read', error);
      await this.#setAside();
    }
    return { jobs, paused, handedOver };
  }

  /** Resolves when the lines are safe, or when it is known that they are not: see `durability`. */
  async write(lines: readonly JournalLine[]): Promise<void> {
    if (!this.#file || lines.length === 0) return;
    if (this.#reason !== undefined) return this.repair();
    try {
      await Promise.all(lines.map((line) => this.#file?.append(line)));
      this.#compactSoon();
    } catch (error) {
      this.#fail('write', error);
    }
  }

  /** Writes it anew from what is in memory. Never throws. */
  async rewrite(): Promise<void> {
    try {
      await this.#file?.rewrite(() => [HEADER, ...this.#options.snapshot()]);
      if (this.#file && this.#reason !== undefined) {
        this.#reason = undefined;
        this.#options.note("the jobs' journal is written again: waiting jobs outlive a restart");
      }
    } catch (error) {
      this.#fail('write', error);
    }
  }

  /** Where it could not be written: tries again, every few seconds at most. */
  async repair(): Promise<void> {
    if (!this.#file || this.#reason === undefined || this.#options.mono() < this.#repairAt) return;
    this.#repairAt = this.#options.mono() + REPAIR_MS;
    await this.rewrite();
  }

  async close(): Promise<void> {
    await this.#compacting;
    await this.#file?.close().catch(() => undefined);
  }

  /** The next rewrite would take its place, and with it every job in it. */
  async #setAside(): Promise<void> {
    try {
      const path = await this.#file?.setAside();
      this.#options.note(`the jobs' journal of before is kept as ${path}: what waited there is not run`);
    } catch {
      // Whatever keeps it from being moved keeps it from being replaced.
    }
  }

  #compactSoon(): void {
    const { size } = this.#file ?? { size: 0 };
    if (this.#compacting || size < COMPACT_FROM_BYTES || size < COMPACT_AT * this.#options.bytes()) return;
    this.#compacting = this.rewrite().finally(() => {
      this.#compacting = undefined;
    });
  }

  #fail(doing: string, error: unknown): void {
    const reason = `its journal cannot be ${doing === 'read' ? 'read' : 'written'}: ${messageOf(error)}`;
    if (this.#reason !== reason) this.#options.note(`jobs do not outlive a restart: ${reason}`);
    this.#reason = reason;
    this.#repairAt = this.#options.mono() + REPAIR_MS;
  }
}

function applyChange(jobs: Map<string, MemoryJob>, { id, set, unset }: ChangeLine): void {
  const job = jobs.get(id);
  if (!job) return;
  const removed = Object.fromEntries(unset.map((key) => [key, undefined]));
  jobs.set(id, { ...job, ...removed, ...set });
}
