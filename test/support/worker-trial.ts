/** The services, the link to the worker and real processes, without a control socket or a bundle. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FromWorker, JobsAnswer, JobsRequest, ToWorker } from '../../src/protocol/jobs.ts';
import { createAttemptLauncher } from '../../src/supervisor/attempt-launcher.ts';
import type { LaunchSource } from '../../src/supervisor/launch-source.ts';
import { createLauncher } from '../../src/supervisor/launcher.ts';
import { Services } from '../../src/supervisor/services/manager.ts';
import type { ShutdownResult } from '../../src/supervisor/services/shutdown-run.ts';
import { linkWorker } from '../../src/supervisor/worker-link.ts';
import { planOf, readText } from '../config/reading.ts';
import { realClock } from './clock.ts';
import { eventually } from './descendants.ts';
import { fakeLaunchSource, listeningLogs } from './launch-trial.ts';

const WORKER = join(import.meta.dirname, '../programs/works-as-told.ts');

export interface WorkerTrial extends AsyncDisposable {
  readonly services: Services;
  /** What standard output shows. */
  readonly output: string[];
  ask(request: JobsRequest): Promise<JobsAnswer>;
  /** Lets the worker say this; resolves with all it has heard so far. */
  say(...messages: FromWorker[]): Promise<readonly ToWorker[]>;
  start(attempt: string, job: string, data?: unknown): Promise<readonly ToWorker[]>;
  /** Resolves with the end of this attempt. */
  ended(attempt: string): Promise<Extract<ToWorker, { type: 'attempt-ended' }>>;
  /** A worker of this generation, or a later one, listens. */
  ready(generation: number): Promise<void>;
  workerPid(): number;
  /** Resolves when the output holds the text. */
  says(text: string): Promise<void>;
  shutdown(): Promise<ShutdownResult>;
}

/** @param jobs the stanzas below `jobs:` */
export async function startTrial(jobs: string, env: Record<string, string> = {}): Promise<WorkerTrial> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-worker-'));
  const plan = planOf(readText(`version: 1\napi: { enabled: false }\njobs:\n${jobs}`, { env }));
  const { output, logs } = listeningLogs();
  const source: LaunchSource = {
    ...fakeLaunchSource(folder),
    jobs: plan.jobs,
    programArgv: () => [process.execPath, '--disable-warning=ExperimentalWarning', WORKER],
  };
  const link = linkWorker({
    launcher: createLauncher(source, logs, realClock, {
      logMatched: () => undefined,
      watchdogFailed: () => undefined,
      watchdogPassed: () => undefined,
      memoryExceeded: () => undefined,
    }),
    launchAttempt: createAttemptLauncher(source, logs, realClock, () => plan),
    clock: realClock,
    plan: () => plan,
    statusOf: (name) => services.status(name),
    say: (level, text) => logs.own(level, text),
    summed: () => undefined,
    happened: () => undefined,
  });
  const services = new Services({
    runs: plan.runs,
    stopTimeout: plan.stopTimeout,
    clock: realClock,
    random: () => 0,
    launcher: link.launcher,
    listener: {},
  });
  services.startAll();
  const say = async (...messages: FromWorker[]): Promise<readonly ToWorker[]> => {
    const answer = await link.ask({ op: 'say', messages } as unknown as JobsRequest);
    if (!answer.ok) throw new Error(answer.message);
    return (answer.value as unknown as { heard: ToWorker[] }).heard;
  };
  const trial: WorkerTrial = {
    services,
    output,
    ask: (request) => link.ask(request),
    say,
    start: (attempt, job, data = {}) =>
      say({ type: 'attempt-start', attempt, job, number: Number(attempt.split('/')[1]), data }),
    async ended(attempt) {
      let found: Extract<ToWorker, { type: 'attempt-ended' }> | undefined;
      await eventually(`${attempt} has ended`, async () => {
        for (const each of await say())
          if (each.type === 'attempt-ended' && each.attempt === attempt) found = each;
        return found !== undefined;
      });
      if (found === undefined) throw new Error('unreachable');
      return found;
    },
    async ready(generation) {
      await services.until(
        () =>
          (services.status('worker')?.generation ?? 0) >= generation &&
          services.status('worker')?.status === 'ready',
      );
      await say();
    },
    workerPid: () => services.status('worker')?.pid ?? 0,
    says: (text) => eventually(`the output holds ${text}`, () => output.some((line) => line.includes(text))),
    shutdown: () => services.shutdown(),
    async [Symbol.asyncDispose]() {
      await services.shutdown();
      await logs.close(100);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await trial.ready(1);
  return trial;
}
