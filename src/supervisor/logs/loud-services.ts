/**
 * Watches how much each service writes, and keeps the loud ones from taking the processors from the others (see
 * restraint.ts). While all write little nothing is looked at and no timer runs.
 */
import type { Clock } from '../../base/clock.ts';
import { Pace } from './pace.ts';
import type { ProcessorWaits, RestraintEvent } from './ports.ts';
import { adjust, FREE, type Restraint } from './restraint.ts';

/** All together write so much, in bytes a second, over at least such a time: it is worth a look. */
const LOUD = 10e6;
const WINDOW_MS = 100;
const LOOK_MS = 250;
/** Of what the loudest writes: who writes so much is loud too, and not among those that must not wait. */
const LOUD_SHARE = 0.25;
/** However much was read at once, its service is not left unread for longer: it may be another generation by then. */
const LONGEST_REST_MS = 250;
/** Looks at which all were quiet, until none is needed any more. */
const QUIET_LOOKS = 8;
/** Nothing was done to a service for so long: it is free again, and it is said. */
const FREE_AFTER_MS = 30_000;

export interface LoudOptions {
  readonly clock: Clock;
  /** Undefined: nobody can tell, so nobody is restrained. */
  readonly waits: ProcessorWaits | undefined;
  /** Whether what is not shown on standard output stands in a file, and is shown at all. */
  readonly mayHide: () => boolean;
  readonly told: (event: RestraintEvent) => void;
}

/** What one service writes, and what it is allowed. */
export class Flow {
  readonly service: string;
  /** Its file can be written. */
  readonly hasFile: () => boolean;
  readonly read = new Pace();
  /** Of what is shown; why a service dies is on stderr, which does not pay for stdout. */
  readonly shown = { stdout: new Pace(), stderr: new Pace() };
  /** Bytes since the last look. */
  taken = 0;
  isLoud = false;
  /** ms it was made to wait, and lines that were not shown, since the start of PID 1. */
  heldMs = 0;
  hiddenLines = 0;
  /** The same, when it was last looked at and when it was last free. */
  seen: Figures = NOTHING;
  free: Figures = NOTHING;
  /** ms of the monotonic clock. */
  restrainedAt = Number.NEGATIVE_INFINITY;
  /** What was said of it last. */
  said: 'free' | 'hidden' | 'held' = 'free';
  saidFile = true;

  constructor(service: string, hasFile: () => boolean) {
    this.service = service;
    this.hasFile = hasFile;
  }
}

interface Figures {
  readonly heldMs: number;
  readonly hiddenLines: number;
}
const NOTHING: Figures = { heldMs: 0, hiddenLines: 0 };

export class LoudServices {
  readonly #options: LoudOptions;
  readonly #flows: Flow[] = [];
  #restraint: Restraint = FREE;
  #windowFrom = 0;
  #windowBytes = 0;
  #lookedAt = 0;
  #quietLooks = 0;
  #disarm: (() => void) | undefined;
  #hasEnded = false;

  constructor(options: LoudOptions) {
    this.#options = options;
  }

  /** @param hasFile whether its file can be written now */
  open(service: string, hasFile: () => boolean): Flow {
    const flow = new Flow(service, hasFile);
    this.#flows.push(flow);
    return flow;
  }

  /**
   * Bytes of it were read. Returns for how many ms it should not be read; 0: go on.
   * @param mayWait false: it has no time, and who comes after it does not pay for it
   */
  took(flow: Flow, bytes: number, mayWait: boolean): number {
    flow.taken += bytes;
    if (this.#disarm === undefined) this.#listen(bytes);
    const { read } = this.#restraint;
    if (!mayWait || read === Number.POSITIVE_INFINITY) return 0;
    return flow.read.take(bytes, read, this.#options.clock.mono(), LONGEST_REST_MS);
  }

  /** Whether so many bytes of it may be shown on standard output. */
  mayShow(flow: Flow, stream: keyof Flow['shown'], bytes: number): boolean {
    const { shown } = this.#restraint;
    // What no file takes is shown, however much it is: it would be lost.
    if (shown === Number.POSITIVE_INFINITY || !flow.hasFile()) return true;
    const now = this.#options.clock.mono();
    const pace = flow.shown[stream];
    if (!pace.isPaid(now)) return false;
    pace.take(bytes, shown, now);
    return true;
  }

  end(): void {
    this.#hasEnded = true;
    this.#disarm?.();
    this.#disarm = undefined;
    this.#restraint = FREE;
  }

  #listen(bytes: number): void {
    this.#windowBytes += bytes;
    const now = this.#options.clock.mono();
    const took = now - this.#windowFrom;
    if (took < WINDOW_MS) return;
    const isLoud = this.#windowBytes * 1000 > LOUD * took;
    this.#windowFrom = now;
    this.#windowBytes = 0;
    if (isLoud && this.#options.waits !== undefined && !this.#hasEnded) this.#wakeUp(now);
  }

  #wakeUp(now: number): void {
    this.#lookedAt = now;
    this.#quietLooks = 0;
    for (const flow of this.#flows) {
      flow.taken = 0;
      flow.isLoud = false;
    }
    // The first look only remembers from where to count.
    this.#readWaits();
    this.#arm();
  }

  #arm(): void {
    this.#disarm = this.#options.clock.after(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const { clock, mayHide } = this.#options;
    const now = clock.mono();
    const took = Math.max(1, now - this.#lookedAt);
    this.#lookedAt = now;
    const most = Math.max(...this.#flows.map(({ taken }) => taken));
    const sum = this.#flows.reduce((all, { taken }) => all + taken, 0);
    this.#quietLooks = sum * 2000 < LOUD * took ? this.#quietLooks + 1 : 0;
    for (const flow of this.#flows) flow.isLoud = flow.taken > 0 && flow.taken >= LOUD_SHARE * most;
    const waits = this.#readWaits();
    if (waits) {
      const loudest = (most * 1000) / took;
      const canHide = mayHide() && this.#flows.some((flow) => flow.isLoud && flow.hasFile());
      this.#restraint = adjust(this.#restraint, { ...waits, took, loudest, mayHide: canHide });
    }
    for (const flow of this.#flows) {
      flow.taken = 0;
      this.#tell(flow, now);
    }
    const isQuiet = this.#quietLooks >= QUIET_LOOKS;
    // Whoever waits then, it is not for them.
    if (isQuiet) this.#restraint = FREE;
    if (isQuiet && this.#flows.every(({ said }) => said === 'free')) this.#sleep();
    else this.#arm();
  }

  #sleep(): void {
    this.#disarm = undefined;
    this.#windowFrom = this.#lookedAt;
    this.#windowBytes = 0;
  }

  /** Undefined: the kernel does not tell. */
  #readWaits(): ReturnType<ProcessorWaits['read']> {
    const loud = new Set(this.#flows.filter(({ isLoud }) => isLoud).map(({ service }) => service));
    return this.#options.waits?.read((service) => !loud.has(service));
  }

  #tell(flow: Flow, now: number): void {
    const { heldMs, hiddenLines } = flow;
    const isHeld = heldMs > flow.seen.heldMs;
    const isHidden = hiddenLines > flow.seen.hiddenLines;
    flow.seen = { heldMs, hiddenLines };
    if (isHeld || isHidden) flow.restrainedAt = now;
    if (isHeld && flow.said !== 'held') this.#say(flow, 'held');
    else if (isHidden && flow.said === 'free') this.#say(flow, 'hidden');
    else if (flow.said === 'free') return;
    else if (now - flow.restrainedAt >= FREE_AFTER_MS) this.#say(flow, 'free');
    // What was said of its file is not so any more.
    else if (flow.saidFile !== flow.hasFile()) this.#say(flow, flow.said);
  }

  #say(flow: Flow, what: Flow['said']): void {
    const { service, heldMs, hiddenLines, free } = flow;
    flow.said = what;
    flow.saidFile = flow.hasFile();
    if (what === 'free') flow.free = { heldMs, hiddenLines };
    this.#options.told({
      service,
      what,
      hasFile: flow.saidFile,
      heldMs: heldMs - free.heldMs,
      hiddenLines: hiddenLines - free.hiddenLines,
    });
  }
}
