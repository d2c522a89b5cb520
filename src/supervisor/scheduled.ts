/** The schedules in the real world: their runs are tasks of a manager of their own, so that no boot waits for one. */
import { readFileSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import type { SchedulePlan } from '../config/plan-schedules.ts';
import type { EventBody } from '../protocol/events.ts';
import type { JobsAnswer, JobsRequest } from '../protocol/jobs.ts';
import type { ScheduleEnd, ScheduleStatus } from '../protocol/schedules.ts';
import { SavedFile } from '../system/saved-file.ts';
import type { Logs } from './logs/logs.ts';
import type { Remembered } from './schedule/ports.ts';
import { Scheduler } from './schedule/scheduler.ts';
import { addScheduledJob, type ScheduledJob } from './scheduled-job.ts';
import { Services } from './services/manager.ts';
import type { Launcher } from './services/ports.ts';
import type { ShutdownResult } from './services/shutdown-run.ts';
import { waitAtMost } from './wait-at-most.ts';

/** A disk that hangs keeps nobody from ending. ms */
const LONGEST_SAVE = 500;

export interface ScheduledOptions {
  readonly plans: readonly SchedulePlan[];
  /** ms from the signal to our own exit. */
  readonly stopTimeout: number;
  readonly clock: Clock;
  readonly launcher: Launcher;
  readonly logs: Logs;
  /** To the worker. */
  readonly ask: (request: JobsRequest) => Promise<JobsAnswer>;
  readonly announce: (event: EventBody) => void;
  /** Where what was run is remembered. */
  readonly file: string;
}

export interface Scheduled {
  /** From now on what is due is run. */
  begin(): void;
  /** The schedules of another plan. */
  take(plans: readonly SchedulePlan[]): void;
  statuses(): readonly ScheduleStatus[];
  runNow(name: string): Promise<ScheduleEnd>;
  hurry(): void;
  shutdown(): Promise<ShutdownResult>;
}

export function createScheduled(options: ScheduledOptions): Scheduled {
  const { clock, launcher, logs, announce, stopTimeout } = options;
  const file = new SavedFile(options.file);
  let plans = options.plans;
  const stopping = new AbortController();
  const adding = new Set<Promise<void>>();
  let hasBegun = false;
  const runs = new Services({
    runs: plans.flatMap(({ run }) => run ?? []),
    idle: true,
    stopTimeout,
    clock,
    random: Math.random,
    launcher,
    listener: {
      spawned: (service, generation, pid) => announce({ type: 'spawned', service, generation, pid }),
      exited: (service, generation, { code, signal }, asked) =>
        announce({ type: 'exited', service, generation, code, signal, asked }),
      startFailed: (service, _generation, reason) => logs.own('warn', `${service}: ${reason}`),
      finished: (name) => scheduler.ended(name, true, ''),
      gaveUp: (name, reason) => {
        const last = logs.lastLine(name);
        const why = last === undefined ? reason : `${reason}; last line: ${last.slice(0, 200)}`;
        logs.own('error', `schedule ${name} failed: ${why}`);
        announce({ type: 'gaveUp', service: name, reason });
        scheduler.ended(name, false, why);
      },
      misbehaved: (text) => logs.own('error', text),
    },
  });
  const scheduler = new Scheduler({
    clock,
    random: Math.random,
    load: () => readMemory(options.file),
    save: (memory) => file.save(`${JSON.stringify(memory, null, 2)}\n`),
    start: (name, slot) => {
      const plan = plans.find((each) => each.name === name);
      if (plan?.job) {
        const added = add({ name, job: plan.job }, slot).finally(() => adding.delete(added));
        adding.add(added);
      } else runs.restart([name]);
    },
    say: (level, text) => {
      logs.own(level, text);
      announce({ type: 'noted', text });
    },
  });
  async function add(plan: ScheduledJob, slot: number | undefined): Promise<void> {
    const { ok, reason, isLeft } = await addScheduledJob(plan, slot, {
      clock,
      ask: options.ask,
      waiting: (why) => logs.own('warn', `schedule ${plan.name} waits for the queue: ${why}`),
      added: (what) => {
        logs.own('info', `schedule ${plan.name}: ${what}`);
        scheduler.does(plan.name, what);
      },
      signal: stopping.signal,
    });
    if (!ok && slot !== undefined && stopping.signal.aborted) {
      logs.own('info', `schedule ${plan.name}: ${reason}; it is due again at the next start`);
      scheduler.postpone(plan.name, slot);
      return;
    }
    logs.own(ok ? 'info' : 'error', `schedule ${plan.name}: ${reason}`);
    // How its last run ended stays what is known of it.
    if (isLeft) return;
    if (!ok) announce({ type: 'gaveUp', service: plan.name, reason });
    scheduler.ended(plan.name, ok, reason);
  }
  return {
    begin: () => {
      hasBegun = true;
      scheduler.take(plans);
    },
    take: (next) => {
      plans = next;
      runs.applyPlan(next.flatMap(({ run }) => run ?? []));
      if (hasBegun) scheduler.take(next);
    },
    statuses: () => scheduler.statuses(),
    runNow: (name) => scheduler.runNow(name),
    hurry: () => runs.hurry(),
    shutdown: async () => {
      scheduler.stop();
      stopping.abort();
      const [ended] = await Promise.all([runs.shutdown(), ...adding]);
      await waitAtMost(file.settled(), LONGEST_SAVE, clock);
      return ended;
    },
  };
}

/** A damaged file is no reason not to start: at worst what is due now is run once more. */
function readMemory(path: string): Record<string, Remembered> {
  try {
    const found: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof found !== 'object' || found === null) return {};
    return Object.fromEntries(
      Object.entries(found).filter(([, value]) => Number.isFinite((value as Remembered | null)?.slot)),
    ) as Record<string, Remembered>;
  } catch {
    return {};
  }
}
