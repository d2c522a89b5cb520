/**
 * Looks after the log files: at boot, when the date changes, each hour, and as soon as they are too many bytes. It
 * decides; a child program does it.
 */
import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import { dayOf, untilNextDay } from '../../base/log-names.ts';
import { Seldom } from '../../base/seldom.ts';
import { formatSize } from '../../base/size.ts';
import type { LogsPlan } from '../../config/plan.ts';
import type { CareWork } from '../../protocol/log-care.ts';
import { type Care as Decision, decideCare, type KeptFile } from './decide-care.ts';

const HOUR = 60 * 60 * 1000;
/** Writers have their turn at midnight first. */
const AFTER_MIDNIGHT = 5000;
/** A boot that takes longer than this is not waited for. */
const AT_LATEST = 60_000;
/** A flood with the cap in force makes the oldest go each second. */
const SAID_EVERY_MS = 10_000;
/** What could not be brought below the cap is tried again when it has grown by this share of it. */
const GROWTH = 0.05;

export interface CareFolder {
  /** Closes what belongs to days before this one and is not being written, and tells what is there. */
  list(
    today: number,
  ): Promise<{ readonly files: readonly KeptFile[]; readonly unfinished: readonly string[] }>;
  /** Of these files none is opened until it is called with nothing. Returns those that nobody has open. */
  seal(files: readonly string[]): readonly string[];
  /** Calls once, when there are more bytes than these. */
  onceAbove(bytes: number, run: () => void): void;
  /** What is open goes on in another file. */
  cut(): void;
}

export interface CareOptions {
  readonly clock: Clock;
  readonly folder: CareFolder;
  /** Asked anew each time: a reload may change it. */
  readonly limits: () => LogsPlan;
  readonly services: () => readonly string[];
  /** Resolves with whether all of it was done; what was not, the program has said itself. */
  readonly run: (work: CareWork) => Promise<boolean>;
  readonly say: (level: 'info' | 'warn', msg: string) => void;
}

export class LogCare {
  readonly #options: CareOptions;
  readonly #capped: Seldom<KeptFile>;
  #isBusy = false;
  #isWanted = false;
  #hasEnded = false;
  #disarm: () => void = () => undefined;

  constructor(options: CareOptions) {
    this.#options = options;
    this.#capped = new Seldom(options.clock, SAID_EVERY_MS, (files) => this.#sayCapped(files));
  }

  /** From now on it looks by itself: first after a minute, or when somebody says `look`. */
  begin(): void {
    this.#arm(AT_LATEST);
  }

  /** Looks now, or once more when it is looking already. Never rejects. */
  async look(): Promise<void> {
    if (this.#hasEnded || !this.#options.limits().files) return;
    this.#isWanted = true;
    if (this.#isBusy) return;
    this.#isBusy = true;
    while (this.#isWanted && !this.#hasEnded) {
      this.#isWanted = false;
      await this.#lookOnce();
    }
    this.#isBusy = false;
    const now = this.#options.clock.now();
    if (!this.#hasEnded) this.#arm(Math.min(HOUR, untilNextDay(now) + AFTER_MIDNIGHT));
  }

  end(): void {
    this.#hasEnded = true;
    this.#disarm();
    this.#capped.end();
    this.#options.folder.onceAbove(Number.POSITIVE_INFINITY, () => undefined);
  }

  #arm(ms: number): void {
    this.#disarm();
    this.#disarm = this.#options.clock.after(ms, () => void this.look());
  }

  async #lookOnce(): Promise<void> {
    const { folder, say } = this.#options;
    try {
      const decision = await this.#decide();
      if (isNothing(decision.work)) this.#watch(decision);
      else {
        await this.#carryOut(decision);
        const after = await this.#decide();
        // What got a name of its own may be compressed now.
        if (after.work.adopt.length < decision.work.adopt.length) this.#isWanted = true;
        this.#watch(after);
      }
    } catch (error) {
      say('warn', `cannot look after the log files: ${messageOf(error)}`);
    } finally {
      folder.seal([]);
    }
  }

  async #decide(): Promise<Decision> {
    const { clock, folder, limits, services } = this.#options;
    const today = dayOf(clock.now());
    const { files, unfinished } = await folder.list(today);
    return decideCare(files, unfinished, new Set(services()), limits(), today);
  }

  async #carryOut({ work, expired, capped }: Decision): Promise<void> {
    const { folder, limits, run, say } = this.#options;
    const free = new Set(folder.seal([...work.remove, ...work.compress]));
    const isDone = await run({
      remove: work.remove.filter((file) => free.has(file)),
      compress: work.compress.filter((file) => free.has(file)),
      adopt: work.adopt,
    });
    if (!isDone) return;
    const { keepDays } = limits();
    if (expired.length > 0)
      say('info', `${describe(expired)} deleted: older than ${keepDays} days (logs.keep_days)`);
    this.#capped.add(...capped);
  }

  #sayCapped(files: readonly KeptFile[]): void {
    const { limits, say } = this.#options;
    const cap = `all log files together were more than ${formatSize(limits().maxTotal)} (logs.max_total)`;
    say('warn', `${describe(files)} deleted: ${cap}, and the oldest go first`);
  }

  /** What is left may be too much all the same: files somebody writes. They are closed, and may go the next time. */
  #watch({ left }: Decision): void {
    const { folder, limits } = this.#options;
    const { maxTotal } = limits();
    const isOver = left > maxTotal;
    if (isOver) folder.cut();
    folder.onceAbove(isOver ? left + maxTotal * GROWTH : maxTotal, () => void this.look());
  }
}

function isNothing({ remove, compress, adopt }: CareWork): boolean {
  return remove.length + compress.length + adopt.length === 0;
}

function describe(files: readonly KeptFile[]): string {
  const bytes = formatSize(files.reduce((sum, { size }) => sum + size, 0));
  const [first] = files;
  const what = files.length === 1 ? 'a log file' : `${files.length} log files`;
  return `${what} (${bytes}, from ${first?.file})`;
}
