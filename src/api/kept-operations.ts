/**
 * Operations that are programs of PID 1. They are its children and not ours: they go on whatever becomes of the API,
 * and the next start of it finds them again.
 */
import { ROLES } from '../config/roles.ts';
import type { AskableProgram } from '../protocol/control.ts';
import type { KeptRun, KeptRunsAnswer } from '../protocol/kept-runs.ts';
import type { Operate } from './operate.ts';
import { Cancelled, type Operations, type OperationView, type Task, type Work } from './operations.ts';
import { hearRun, type Input } from './run-program.ts';

type Door = Pick<Operate, 'runs' | 'keptRun' | 'post'>;

/** One of our programs; its result is the last that it answers. */
export function keptWork(
  { kind, about }: Pick<Work, 'kind' | 'about'>,
  program: AskableProgram,
  input: Input,
  operate: Door,
): Work {
  return {
    kind,
    ...(about === undefined ? {} : { about }),
    run: (task) => {
      const { id } = task.view;
      const outputs = operate.runs(program, input, task.left, { id, label: labelOf(task.view) });
      return perform(outputs, program, task, operate);
    },
  };
}

/** Takes up what an earlier start of the API has begun. Resolves when it is known what of it has ended, and how. */
export async function resumeOperations(
  operate: Door & Pick<Operate, 'get'>,
  operations: Pick<Operations, 'resume'>,
): Promise<void> {
  const { runs } = await operate.get<KeptRunsAnswer>('/v1/runs');
  const ended = runs.flatMap((run) => {
    const view = viewOf(run);
    const { kind } = view;
    const work: Work = {
      kind,
      run: (task) => perform(operate.keptRun(run.id, task.left), kind, task, operate),
    };
    const over = operations.resume(view, work);
    return run.end === undefined ? [] : [over];
  });
  await Promise.all(ended);
}

async function perform(
  outputs: ReturnType<Operate['runs']>,
  name: string,
  task: Task,
  operate: Pick<Operate, 'post'>,
): Promise<unknown> {
  // It has ended by itself where PID 1 refuses that.
  const end = (): void => void operate.post('/v1/runs/cancel', { id: task.view.id }).catch(() => undefined);
  task.cancelled.addEventListener('abort', end, { once: true });
  try {
    const { results, problem, exit } = await hearRun(outputs, name, task);
    if (exit?.endedAt !== undefined) task.endedAt(exit.endedAt);
    if (exit?.cancelled && exit.code !== 0) throw new Cancelled(problem);
    if (problem !== undefined) throw problem;
    return results.at(-1);
  } finally {
    task.cancelled.removeEventListener('abort', end);
  }
}

function labelOf({ kind, about, actor, role, startedAt }: OperationView): Readonly<Record<string, string>> {
  return { kind, actor, role, startedAt, ...(about === undefined ? {} : { about }) };
}

function viewOf({ id, label, startedAt }: KeptRun): OperationView {
  const { kind = 'run', about, actor = 'somebody', role } = label;
  return {
    id,
    kind,
    ...(about === undefined ? {} : { about }),
    state: 'running',
    actor,
    // Who knows nothing of it may not end it.
    role: ROLES.find((each) => each === role) ?? 'admin',
    startedAt: label.startedAt ?? startedAt,
    notes: [],
  };
}
