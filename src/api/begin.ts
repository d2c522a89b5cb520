/** How routes begin operations. */
import { parseDuration } from '../base/duration.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import { keptWork } from './kept-operations.ts';
import type { OperationView, Work } from './operations.ts';
import { Problem } from './problem.ts';
import type { Answer, Asked, Served } from './route.ts';
import { commandInput } from './run-program.ts';

/** Answers with the operation: 200 where it is over already, else 202 and where it is seen. */
export async function begin(work: Work, { caller, role }: Asked, { operations }: Served): Promise<Answer> {
  const view = await operations.begin(work, { actor: caller.actor, role });
  const headers = { location: `/operations/${view.id}` };
  return {
    status: view.state === 'running' ? 202 : 200,
    body: answerOf(view),
    headers,
    about: `operation ${view.id}`,
  };
}

export function answerOf(view: OperationView): object {
  return { schemaVersion: SCHEMA_VERSION, ...view };
}

/** A command of the command line, with what it does in several steps. */
export function commandWork(
  { kind, about }: Pick<Work, 'kind' | 'about'>,
  given: Parameters<typeof commandInput>[1],
  { operate }: Served,
): Work {
  return keptWork(
    { kind, ...(about === undefined ? {} : { about }) },
    'command',
    commandInput(kind, given),
    operate,
  );
}

/** Milliseconds; undefined: not said. */
export function readTimeout({ timeout }: Asked['body']): number | undefined {
  if (typeof timeout !== 'string') return undefined;
  const ms = parseDuration(timeout);
  if (ms !== undefined && ms > 0) return ms;
  throw new Problem(400, 'bad-request', 'timeout must be a duration such as 30s');
}

/** Nothing takes the place of something else because a button was pressed once. */
export function requireConfirm({ confirm, dryRun }: Asked['body'], wanted: string): void {
  if (dryRun === true || confirm === wanted) return;
  throw new Problem(400, 'confirm-needed', `confirm must be "${wanted}": this replaces what is there`, {
    remedy: 'see what it will do first: the same with dryRun: true',
  });
}

/** Of `?x=…` and bodies, whose shape was checked. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
