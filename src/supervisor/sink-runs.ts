/**
 * The commands that alerts are told to: children beside the services, one for each message. They are allowed to the very
 * end, because what ends us is told as well.
 */
import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { messageOf } from '../base/errors.ts';
import type { TaskPlan } from '../config/plan-runs.ts';
import { type SpawnedProcess, spawnProcess } from '../system/process.ts';
import type { LaunchSource } from './launch-source.ts';
import { spawnOptions } from './launcher.ts';
import type { Logs } from './logs/logs.ts';
import { resolveLaunch } from './resolve-launch.ts';
import type { Exit } from './services/ports.ts';

/** A message to a sink, as JSON for its standard input and, of the worst alert, as variables for a script without jq. */
export interface SinkMessage {
  readonly json: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface Delivered {
  readonly ok: boolean;
  readonly error: string;
}

export interface SinkRuns {
  /**
   * Starts the command of a sink, one message after the other; resolves when nothing of it is left. Never rejects.
   * `error`: empty, or one sentence.
   */
  tell(run: TaskPlan, message: SinkMessage): Promise<Delivered>;
  /** Ends whoever is left. */
  kill(): void;
}

/** What still holds the pipe when the whole family is dead belongs to nobody we know. ms */
const LEFTOVER_MS = 100;
/** Messages of one sink that wait for the one under way: whoever asks for more is not told to start more. */
const MOST_WAITING = 4;

export function createSinkRuns(source: LaunchSource, logs: Logs, clock: Clock): SinkRuns {
  const running = new Set<SpawnedProcess>();
  /** By the name of a sink's run: the message that is told last, and how many are not told yet. */
  const lines = new Map<string, { last: Promise<unknown>; waiting: number }>();
  let count = 0;
  let isOver = false;

  function start(run: TaskPlan, { json, env }: SinkMessage): Promise<Exit & { readonly isLate: boolean }> {
    const resolved = resolveLaunch(run, source);
    count += 1;
    const exited = Promise.withResolvers<Exit>();
    return new Promise((resolve, reject) => {
      let isLate = false;
      let disarm: () => void = () => undefined;
      const child = spawnProcess(
        {
          ...spawnOptions(run, `${run.name}:tell-${count}`, resolved),
          env: { ...resolved.env, ...env },
          stdin: true,
        },
        {
          failed: reject,
          ready: () => undefined,
          message: () => undefined,
          exited: (exit) => {
            exited.resolve(exit);
            // What it leaves behind would pile up, one more at every message.
            child?.signal('SIGKILL', 'everything');
          },
          emptied: () => {
            disarm();
            if (child) running.delete(child);
            attachment?.closeWithin(LEFTOVER_MS);
            void Promise.all([exited.promise, attachment?.drained]).then(([exit]) =>
              resolve({ ...exit, isLate }),
            );
          },
        },
      );
      if (child === undefined) return;
      running.add(child);
      const attachment = logs.attach(run.name, count, child, child.pid);
      if (run.startTimeout !== undefined) {
        disarm = clock.after(run.startTimeout, () => {
          isLate = true;
          child.signal('SIGKILL', 'everything');
        });
      }
      // One that never reads it, or is gone already, is no error of ours.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(json);
    });
  }

  async function tellOne(run: TaskPlan, message: SinkMessage): Promise<Delivered> {
    if (isOver) return { ok: false, error: 'everything is being stopped' };
    try {
      const { code, signal, isLate } = await start(run, message);
      if (code === 0) return { ok: true, error: '' };
      const end = isLate
        ? `it took longer than ${formatDuration(run.startTimeout ?? 0)}`
        : signal === null
          ? `exit ${code}`
          : `killed by ${signal}`;
      const last = logs.lastLine(run.name);
      return { ok: false, error: last === undefined ? end : `${end}; last line: ${last.slice(0, 200)}` };
    } catch (error) {
      return { ok: false, error: messageOf(error) };
    }
  }

  return {
    async tell(run, message) {
      const line = lines.get(run.name) ?? { last: Promise.resolve(), waiting: 0 };
      if (line.waiting > MOST_WAITING)
        return { ok: false, error: `${MOST_WAITING} messages wait for it already` };
      lines.set(run.name, line);
      line.waiting += 1;
      const told = line.last
        .then(() => tellOne(run, message))
        .finally(() => {
          line.waiting -= 1;
        });
      line.last = told;
      return told;
    },
    kill() {
      isOver = true;
      for (const child of running) child.signal('SIGKILL', 'everything');
    },
  };
}
