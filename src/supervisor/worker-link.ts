/**
 * The worker and what lives by it. It is a service like any other, but for three things: what it says on its channel is
 * about attempts, it is gone only when they are, and whoever asks about jobs is answered by it.
 */
import type { Clock } from '../base/clock.ts';
import type { Plan } from '../config/plan.ts';
import type { RunPlan } from '../config/plan-runs.ts';
import type {
  FromWorker,
  JobEvent,
  JobsAnswer,
  JobsRequest,
  JobsSummary,
  ToWorker,
} from '../protocol/jobs.ts';
import type { ServiceStatus } from '../protocol/status.ts';
import type { SpawnedProcess } from '../system/process.ts';
import { Attempts } from './attempts/attempts.ts';
import type { AttemptPorts } from './attempts/ports.ts';
import { Relay } from './attempts/relay.ts';
import type { HallLauncher } from './launcher.ts';
import type { IncarnationEvents, Launcher } from './services/ports.ts';

/** A worker that reads so slowly is not told more of what attempts say, until it has read that. Bytes */
const SLOW = 256 * 1024;
/** Behind so much nobody is put any more: what comes first is answered first. Bytes */
const BUSY = 1024 * 1024;
const LOOK_AGAIN_MS = 20;
/** A worker that takes in less than it is asked for, beyond what it claims, is a mistake of ours. */
const SPARE_ATTEMPTS = 8;

export interface WorkerLinkOptions {
  readonly launcher: HallLauncher;
  readonly launchAttempt: AttemptPorts['launch'];
  readonly clock: Clock;
  /** In force now. */
  readonly plan: () => Plan;
  readonly statusOf: (service: string) => ServiceStatus | undefined;
  readonly say: (level: 'warn' | 'error', text: string) => void;
  /** The worker has told how the queue is. */
  readonly summed: () => void;
  /** Something happened to a job. */
  readonly happened: (event: JobEvent) => void;
}

export interface WorkerLink {
  /** Starts all that the one it was given starts. */
  readonly launcher: Launcher;
  /** Never rejects. */
  ask(request: JobsRequest): Promise<JobsAnswer>;
  /** What the worker that lives said last. */
  summary(): JobsSummary | undefined;
}

export function linkWorker(options: WorkerLinkOptions): WorkerLink {
  const { clock, plan, say } = options;
  let worker: SpawnedProcess | undefined;
  let summary: JobsSummary | undefined;
  let isHeld = false;

  function tell(message: ToWorker): void {
    if (worker === undefined) return;
    if (!worker.send(JSON.stringify(message))) {
      say('error', 'the worker does not read what it is told: killing it');
      worker.signal('SIGKILL', 'everything');
    } else if (!isHeld && worker.waiting() > SLOW) {
      isHeld = true;
      attempts.hold(true);
      clock.after(LOOK_AGAIN_MS, letGo);
    }
  }

  function letGo(): void {
    if (worker !== undefined && worker.waiting() > SLOW) {
      clock.after(LOOK_AGAIN_MS, letGo);
      return;
    }
    isHeld = false;
    attempts.hold(false);
  }

  const attempts = new Attempts({
    clock,
    launch: options.launchAttempt,
    ladderOf: (job) => plan().attempts.find(({ name }) => name === job)?.stop,
    notYet: (job) => whyNotYet(plan(), job, options.statusOf),
    most: () => Math.max(1, plan().jobs?.concurrency ?? 0) + SPARE_ATTEMPTS,
    tell,
    say,
  });
  const relay = new Relay({
    clock,
    tell,
    away: () => {
      const status = options.statusOf('worker');
      if (status === undefined)
        return plan().jobs
          ? { why: 'the worker is switched off here', remedy: 'see BULKHEAD_ONLY and BULKHEAD_DISABLE' }
          : {
              why: 'the plan has no jobs',
              remedy: 'add `jobs:` to it, or run a tier that has them: scraper',
            };
      if (worker === undefined || status.status === 'stopping') {
        return {
          why: `the worker is not there (${status.status}${status.reason === '' ? '' : `: ${status.reason}`})`,
        };
      }
      return worker.waiting() > BUSY ? { why: 'the worker is busy' } : undefined;
    },
  });

  function hear(message: FromWorker): void {
    switch (message.type) {
      case 'attempt-start':
        attempts.start(message);
        break;
      case 'attempt-stop':
        attempts.stop(message.attempt, message.now === true);
        break;
      case 'jobs-answer':
        relay.answered(message.id, message.answer);
        break;
      case 'jobs-status':
        summary = message.summary;
        options.summed();
        break;
      case 'job-event':
        options.happened(message.event);
    }
  }

  function leave(): void {
    worker = undefined;
    summary = undefined;
    attempts.end();
    relay.end();
  }

  function eventsOf(events: IncarnationEvents): IncarnationEvents {
    return {
      ...events,
      failed: (error) => {
        leave();
        events.failed(error);
      },
      report: (report) => {
        const said: { readonly type: string } = report;
        if (isFromWorker(said)) hear(said);
        else events.report(report);
      },
      exited: (exit) => {
        leave();
        events.exited(exit);
      },
      // Only then the next one may start.
      emptied: () => attempts.whenEmpty(() => events.emptied()),
    };
  }

  return {
    launcher: {
      launch(run, generation, events) {
        if (!isWorker(run)) return options.launcher.launch(run, generation, events);
        attempts.begin();
        const { incarnation } = options.launcher.launch(run, generation, eventsOf(events));
        worker = incarnation;
        if (incarnation === undefined) return { incarnation };
        return {
          incarnation: {
            pid: incarnation.pid,
            signal: (signal, target) => {
              const all = signal === 'SIGKILL' && target === 'everything';
              return incarnation.signal(signal, target) + (all ? attempts.kill() : 0);
            },
          },
        };
      },
    },
    ask: (request) => relay.ask(request),
    summary: () => summary,
  };
}

function isWorker(run: RunPlan): boolean {
  return run.work.kind === 'program' && run.work.program === 'worker';
}

const TYPES: readonly FromWorker['type'][] = [
  'attempt-start',
  'attempt-stop',
  'jobs-answer',
  'jobs-status',
  'job-event',
];

function isFromWorker(message: { readonly type: string }): message is FromWorker {
  return TYPES.some((type) => type === message.type);
}

/** Jobs that require the database wait with everybody else for its import and its migrations. */
function whyNotYet(
  plan: Plan,
  job: string,
  statusOf: (service: string) => ServiceStatus | undefined,
): string | undefined {
  const needs = plan.jobs?.types.find(({ name }) => name === job)?.requires;
  if (needs === undefined || !needs.includes('database')) return undefined;
  for (const task of ['setup', 'migrate']) {
    const status = statusOf(task);
    if (status !== undefined && status.status !== 'done') {
      return `the database is not ready yet: ${task} is ${status.status}`;
    }
  }
  return undefined;
}
