/** Whether the parts of the product do their work, each asked for an answer of its own. */
import { messageOf } from '../base/errors.ts';
import type { DatabaseCheck } from '../protocol/database-check.ts';
import type { JobsStatus } from '../protocol/jobs.ts';
import { describeStore } from '../protocol/jobs-words.ts';
import type { ProductStatus, ServiceStatus } from '../protocol/status.ts';
import { askJobs } from './ask-jobs.ts';
import type { Context } from './command.ts';
import { runProgram } from './run-program.ts';

export interface DeepCheck {
  /** "app", "database query", "queue" */
  readonly what: string;
  readonly ok: boolean;
  readonly text: string;
}

/** Of the worker: with all it may do to find its store again. ms */
const QUEUE_PATIENCE_MS = 20_000;

/** Throws a Failure where nobody answers. */
export async function checkDeeply(context: Context): Promise<DeepCheck[]> {
  const client = await context.client();
  const { services } = await client.get<ProductStatus>('/v1/status');
  const runs = (name: string): boolean =>
    services.some((service) => service.name === name && service.status !== 'disabled');
  const parts = services.filter(({ kind, critical, status }) => {
    return kind === 'service' && critical && status !== 'disabled' && status !== 'stopped';
  });
  return [
    ...parts.map(describeService),
    ...(runs('database') ? await checkDatabase(context) : []),
    ...(runs('worker') ? [await checkQueue(context)] : []),
  ];
}

/** PID 1 asks it already, every few seconds, by the check that its stanza says. */
function describeService({ name, status, reason, check }: ServiceStatus): DeepCheck {
  const took =
    check?.durationMs === undefined ? '' : `, its check was answered in ${Math.ceil(check.durationMs)} ms`;
  const ok = status === 'ready';
  return { what: name, ok, text: ok ? `${status}${took}` : [status, reason].filter(Boolean).join(': ') };
}

async function checkDatabase(context: Context): Promise<DeepCheck[]> {
  try {
    // The other end is this very program: the shape is that of protocol/database-check.ts.
    const { steps } = (await runProgram(context, 'check-database', {})) as DatabaseCheck;
    return steps.map(({ what, ok, text }) => ({
      what: what === 'disk' ? what : `database ${what}`,
      ok,
      text,
    }));
  } catch (error) {
    return [{ what: 'database', ok: false, text: messageOf(error) }];
  }
}

/** There and back through PID 1 and the worker to the store. */
async function checkQueue(context: Context): Promise<DeepCheck> {
  const began = performance.now();
  try {
    const { store } = await askJobs<JobsStatus>(
      await context.client(),
      { op: 'status' },
      AbortSignal.timeout(QUEUE_PATIENCE_MS),
    );
    const took = Math.max(1, Math.round(performance.now() - began));
    return { what: 'queue', ok: true, text: `answered in ${took} ms, ${describeStore(store)}` };
  } catch (error) {
    return { what: 'queue', ok: false, text: messageOf(error) };
  }
}
