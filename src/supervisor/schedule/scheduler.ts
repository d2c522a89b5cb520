/**
 * When what is due is run. Each moment a schedule is due is a slot, and a slot is taken once, written down before
 * anything starts: neither a restart nor a clock that is set back runs it again. What nobody was there for is run once.
 */
import { type CronTimes, everyTimes, parseCron } from '../../base/cron.ts';
import { formatDuration } from '../../base/duration.ts';
import { Failure } from '../../base/errors.ts';
import type { SchedulePlan } from '../../config/plan-schedules.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { ScheduleEnd, ScheduleStatus } from '../../protocol/schedules.ts';
import { Again } from './again.ts';
import type { Remembered, SchedulePorts } from './ports.ts';

/** A clock that jumps is noticed this soon; also the longest a timer waits. ms */
const LONGEST_WAIT = 60_000;
/** Later than this is missed, not late. ms */
const LATE = 2 * LONGEST_WAIT;
/** A clock set back by less opens no slot again. ms */
const SMALL_CORRECTION = 3 * 3_600_000;
/** A disk that hangs keeps nothing from running. ms */
const LONGEST_SAVE = 5000;

const GONE = 'no longer in the plan';

interface Entry {
  plan: SchedulePlan;
  times: CronTimes | undefined;
  /** Wall clock, of the run under way. */
  startedAt: number | undefined;
  /** What the run under way has to say. */
  doing: string | undefined;
  /** It was due once more while it ran. */
  queued: boolean;
  /** It has been taken and starts soon. */
  cancelStart: (() => void) | undefined;
  readonly again: Again;
  readonly waiters: ((end: ScheduleEnd) => void)[];
}

export class Scheduler {
  readonly #ports: SchedulePorts;
  readonly #entries = new Map<string, Entry>();
  readonly #memory: Record<string, Remembered>;
  #disarm: (() => void) | undefined;
  #isStopped = false;

  constructor(ports: SchedulePorts) {
    this.#ports = ports;
    this.#memory = { ...ports.load() };
  }

  /** The schedules of the plan, at boot and after a reload; a run under way is not touched. */
  take(plans: readonly SchedulePlan[]): void {
    const names = new Set(plans.map(({ name }) => name));
    for (const [name, entry] of this.#entries) {
      if (names.has(name)) continue;
      entry.cancelStart?.();
      entry.again.cancel();
      entry.times = undefined;
      entry.queued = false;
      // One under way is forgotten when it has ended: of the same name there is never a second beside it.
      if (entry.startedAt === undefined) this.#entries.delete(name);
      else entry.plan = { ...entry.plan, off: GONE };
    }
    for (const plan of plans) {
      const usable = plan.off === undefined ? timesOf(plan) : undefined;
      const entry = this.#entries.get(plan.name);
      if (entry) Object.assign(entry, { plan, times: usable });
      else this.#add(plan, usable);
    }
    this.review();
  }

  #add(plan: SchedulePlan, times: CronTimes | undefined): void {
    const { name, retryAfter } = plan;
    const entry: Entry = {
      plan,
      times,
      startedAt: undefined,
      doing: undefined,
      queued: false,
      cancelStart: undefined,
      again: new Again(this.#ports.clock, () => this.#startAgain(name, entry)),
      waiters: [],
    };
    this.#entries.set(name, entry);
    // Of the last life of the supervisor.
    if (this.#memory[name]?.last?.ok === false) entry.again.ended(false, retryAfter);
  }

  /** Takes every slot that is due, and waits for the next one. */
  review(): void {
    if (this.#isStopped) return;
    this.#disarm?.();
    const now = this.#ports.clock.now();
    for (const [name, entry] of this.#entries)
      if (entry.times) this.#reviewOne(name, entry, entry.times, now);
    const next = [...this.#entries.values()].flatMap(({ times }) => times?.after(now) ?? []);
    if (next.length === 0) return;
    const wait = Math.min(LONGEST_WAIT, Math.max(1, Math.min(...next) - now));
    this.#disarm = this.#ports.clock.after(wait, () => this.review());
  }

  /** What the run under way has to say before its end. */
  does(name: string, doing: string): void {
    const entry = this.#entries.get(name);
    if (entry?.startedAt !== undefined) entry.doing = doing;
  }

  /** A run of it has ended. `reason`: why it failed, or what came of it where that is to be known. */
  ended(name: string, ok: boolean, reason: string): void {
    const entry = this.#entries.get(name);
    const now = this.#ports.clock.now();
    const startedAt = entry?.startedAt ?? now;
    const end = { startedAt: isoOf(startedAt), endedAt: isoOf(now), ok, reason };
    this.#memory[name] = {
      ...(this.#memory[name] ?? { slot: startedAt }),
      last: end,
      ...(ok ? { success: end.endedAt } : {}),
    };
    this.#saveSoon();
    if (!entry) return;
    entry.startedAt = undefined;
    entry.doing = undefined;
    entry.again.ended(ok, this.#isStopped ? undefined : entry.plan.retryAfter);
    for (const resolve of entry.waiters.splice(0)) resolve(end);
    if (entry.plan.off === GONE) this.#entries.delete(name);
    if (!entry.queued || this.#isStopped) return;
    entry.queued = false;
    this.#start(name, entry, this.#memory[name]?.slot);
  }

  /** What this slot was to start was not even begun: it is due again at the next boot, where it is caught up. */
  postpone(name: string, slot: number): void {
    const known = this.#memory[name];
    if (known?.slot !== slot) return;
    this.#memory[name] = { ...known, slot: slot - 1 };
    this.#saveSoon();
  }

  /**
   * A run that a person asks for, besides its slots. Resolves with its end.
   * @throws Failure where there is no such schedule, or where it runs already
   */
  runNow(name: string): Promise<ScheduleEnd> {
    const entry = this.#entries.get(name);
    if (!entry) {
      throw new Failure(`cannot run ${name}: there is no such schedule`, {
        code: 'unknown-name',
        exitCode: CommandExit.unknownName,
        remedy: 'see which there are: bulkhead schedule list',
      });
    }
    if (entry.startedAt !== undefined || this.#isStopped) {
      const why = this.#isStopped ? 'everything is being stopped' : 'it is running already';
      throw new Failure(`cannot run ${name}: ${why}`, { exitCode: CommandExit.refused });
    }
    entry.cancelStart?.();
    const { promise, resolve } = Promise.withResolvers<ScheduleEnd>();
    entry.waiters.push(resolve);
    this.#start(name, entry, undefined);
    return promise;
  }

  /** Nothing is started any more. */
  stop(): void {
    this.#isStopped = true;
    this.#disarm?.();
    for (const { cancelStart, again } of this.#entries.values()) {
      cancelStart?.();
      again.cancel();
    }
  }

  statuses(): readonly ScheduleStatus[] {
    const now = this.#ports.clock.now();
    return [...this.#entries].map(([name, { plan, times, startedAt, doing }]) => {
      const next = times?.after(now);
      const { last, success, missed } = this.#memory[name] ?? {};
      return {
        name,
        status: startedAt !== undefined ? 'running' : times ? 'idle' : 'off',
        reason: plan.off ?? describeTimes(plan),
        nextRun: next === undefined ? undefined : isoOf(next),
        runningSince: startedAt === undefined ? undefined : isoOf(startedAt),
        ...(doing === undefined ? {} : { doing }),
        lastRun: last,
        ...(success === undefined ? {} : { lastSuccess: success }),
        ...(missed === undefined ? {} : { missed }),
      };
    });
  }

  #reviewOne(name: string, entry: Entry, times: CronTimes, now: number): void {
    const known = this.#memory[name];
    if (known === undefined || isFarAhead(known.slot, times, now)) {
      if (known) {
        this.#ports.say('warn', `the clock was set back: ${name} is counted from now on`);
      }
      // What was due before it stood in the plan is nobody's.
      this.#memory[name] = { ...known, slot: now };
      this.#saveSoon();
      return;
    }
    // What lies ahead is known, and what lies behind is dear to find.
    if ((times.after(known.slot) ?? Number.POSITIVE_INFINITY) > now) return;
    const slot = times.latest(known.slot, now);
    if (slot === undefined) return;
    const late = now - slot;
    const isGone = late > LATE && !entry.plan.catchUp;
    const isBusy = entry.startedAt !== undefined || entry.cancelStart !== undefined;
    const isMissed = isGone || (isBusy && entry.plan.overlap !== 'queue');
    this.#memory[name] = { ...known, slot, ...(isMissed ? { missed: (known.missed ?? 0) + 1 } : {}) };
    const saved = this.#save();
    if (isGone) {
      this.#ports.say('info', `${name} was due ${formatDuration(late)} ago and is not caught up`);
    } else if (isBusy) {
      const queue = entry.plan.overlap === 'queue';
      entry.queued = queue;
      this.#ports.say(
        'warn',
        `${name} is due, but ${entry.startedAt === undefined ? 'about to start' : 'still running'}: ${queue ? 'it runs again after that' : 'skipped'}`,
      );
    } else {
      if (late > LATE) this.#ports.say('info', `${name} was due ${formatDuration(late)} ago: caught up now`);
      this.#startAfter(saved, name, entry, slot);
    }
  }

  #startAfter(saved: Promise<void>, name: string, entry: Entry, slot: number): void {
    const { clock, random } = this.#ports;
    let isDecided = false;
    let disarm = clock.after(LONGEST_SAVE, () => begin());
    const begin = (): void => {
      disarm();
      if (isDecided) return;
      isDecided = true;
      const delay = Math.floor(random() * entry.plan.jitter);
      if (delay === 0) this.#start(name, entry, slot);
      else disarm = clock.after(delay, () => this.#start(name, entry, slot));
    };
    entry.cancelStart = () => {
      isDecided = true;
      disarm();
      entry.cancelStart = undefined;
    };
    void saved.then(begin);
  }

  #startAgain(name: string, entry: Entry): void {
    const isBusy = entry.startedAt !== undefined || entry.cancelStart !== undefined;
    if (isBusy || this.#isStopped || entry.times === undefined) return;
    this.#start(name, entry, undefined);
  }

  #start(name: string, entry: Entry, slot: number | undefined): void {
    entry.cancelStart = undefined;
    entry.again.cancel();
    entry.startedAt = this.#ports.clock.now();
    this.#ports.start(name, slot);
  }

  #saveSoon(): void {
    void this.#save();
  }

  /** Never rejects: a full disk is told, and keeps no backup from running. */
  #save(): Promise<void> {
    return this.#ports.save(this.#memory).catch((error: Error) => {
      this.#ports.say('warn', `cannot remember what was run: ${error.message}; a restart may run it again`);
    });
  }
}

function timesOf({ cron, every, timeZone }: SchedulePlan): CronTimes | undefined {
  if (every !== undefined) return everyTimes(every);
  const times = parseCron(cron, timeZone);
  return 'after' in times ? times : undefined;
}

function describeTimes({ cron, every, timeZone }: SchedulePlan): string {
  if (every !== undefined) return `every ${formatDuration(every)}`;
  return timeZone === undefined ? cron : `${cron} (${timeZone})`;
}

/**
 * Taken more than one slot ahead of now, and not by a small correction of the clock: then it was wrong, and waiting for
 * it would be silence for years.
 */
function isFarAhead(slot: number, times: CronTimes, now: number): boolean {
  if (slot - now < SMALL_CORRECTION) return false;
  const next = times.after(now);
  const second = next === undefined ? undefined : times.after(next);
  return second !== undefined && slot > second;
}

function isoOf(moment: number): string {
  return new Date(moment).toISOString();
}
