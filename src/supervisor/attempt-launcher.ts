/** Starts attempts of jobs, as services are started: as their user, confined, held to their memory, with a log. */
import type { Clock } from '../base/clock.ts';
import { isDeeperThan } from '../base/nesting.ts';
import type { Plan } from '../config/plan.ts';
import type { AttemptPlan } from '../config/plan-jobs.ts';
import type { AttemptInput } from '../protocol/jobs.ts';
import { type SpawnedProcess, spawnProcess } from '../system/process.ts';
import type { AttemptEvents, AttemptPorts, AttemptStart } from './attempts/ports.ts';
import type { LaunchSource } from './launch-source.ts';
import { isKilled, spawnOptions } from './launcher.ts';
import type { Attachment, Logs } from './logs/logs.ts';
import { limitMemory } from './memory-limit.ts';
import { watchMemory } from './memory-watch.ts';
import { type Resolved, resolveLaunch } from './resolve-launch.ts';
import { waitAtMost } from './wait-at-most.ts';

/** Of a line on descriptor 3, in bytes. */
const LONGEST_LINE = 64 * 1024;
/** What it holds may be nested 100 deep, and has a few levels around it. */
const DEEPEST = 110;
/** How long an exit waits for the last words behind it. ms */
const LAST_WORDS_MS = 50;
/** What still holds the pipe when the whole family is dead belongs to nobody we know. ms */
const LEFTOVER_MS = 100;

/** @param plan in force now; it has the types that the room starts */
export function createAttemptLauncher(
  source: LaunchSource,
  logs: Logs,
  clock: Clock,
  plan: () => Plan,
): AttemptPorts['launch'] {
  let count = 0;
  return (ask, events) => {
    count += 1;
    const found = plan().attempts.find(({ name }) => name === ask.job);
    let resolved: Resolved;
    try {
      if (found === undefined) throw new Error(`the plan has no job called ${ask.job}`);
      resolved = resolveLaunch(found, source);
    } catch (error) {
      setImmediate(() => events.failed(error instanceof Error ? error : new Error(String(error))));
      return undefined;
    }
    return spawnAttempt(ask, found, resolved, count, { source, logs, clock }, events);
  };
}

interface Surroundings {
  readonly source: LaunchSource;
  readonly logs: Logs;
  readonly clock: Clock;
}

function spawnAttempt(
  ask: AttemptStart,
  plan: AttemptPlan,
  resolved: Resolved,
  count: number,
  { source, logs, clock }: Surroundings,
  events: AttemptEvents,
): SpawnedProcess | undefined {
  const { job, number, data } = ask;
  const id = ask.attempt.slice(0, ask.attempt.lastIndexOf('/'));
  const name = `${job} ${ask.attempt}`;
  const memory = limitMemory(plan, source);
  let attachment: Attachment | undefined;
  let stopWatch: () => void = () => undefined;
  let killed = false;
  let exitTold: Promise<void> = Promise.resolve();
  let toldOff = false;
  const tellOff = (fault: string): void => {
    if (!toldOff) logs.own('warn', `${name} wrote ${fault} on descriptor 3: not passed on`);
    toldOff = true;
  };
  const child = spawnProcess(
    {
      ...spawnOptions(plan, `${job}:job-${count}`, resolved),
      env: {
        ...resolved.env,
        BULKHEAD_JOB_ID: id,
        BULKHEAD_JOB_TYPE: job,
        BULKHEAD_JOB_ATTEMPT: String(number),
      },
      stdin: true,
      channel: {
        longest: LONGEST_LINE,
        tooLong: () => tellOff(`a line of more than ${LONGEST_LINE / 1024} KB`),
      },
      memoryGroup: memory.procs,
    },
    {
      failed: (error) => {
        memory.end();
        events.failed(error);
      },
      ready: () => undefined,
      message: (line) => {
        const said = readLine(line);
        if (said === undefined) tellOff('what is no JSON object');
        else if (isDeeperThan(DEEPEST, said)) tellOff('what is nested too deep');
        else events.said(said);
      },
      exited: (exit) => {
        attachment?.rush();
        stopWatch();
        const outOfMemory = isKilled(exit) && !killed && memory.claimOomKill();
        const drained = attachment?.drained ?? Promise.resolve();
        exitTold = waitAtMost(drained, LAST_WORDS_MS, clock).then(() =>
          events.exited({ ...exit, outOfMemory }),
        );
      },
      emptied: () => {
        attachment?.closeWithin(LEFTOVER_MS);
        memory.end();
        void exitTold.then(() => events.emptied(logs.lastLine(job, id)));
      },
    },
  );
  if (child === undefined) return undefined;
  const input: AttemptInput = { id, type: job, attempt: number, data };
  const line = JSON.stringify(input);
  child.send(line);
  // One that never reads it, or is gone already, is no error of ours.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(`${line}\n`);
  attachment = logs.attach(job, count, child, child.pid, { id, attempt: number });
  stopWatch = watchMemory(
    memory.watched,
    () => child.memory(),
    clock,
    (bytes) => events.exceeded(bytes),
  );
  return {
    ...child,
    signal: (signal, target) => {
      killed ||= signal === 'SIGKILL';
      attachment?.rush();
      return child.signal(signal, target);
    },
  };
}

function readLine(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
