/** Our own programs, run by PID 1 because somebody asked the API. */
import type { AskableProgram, RunOutput } from '../protocol/control.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { Progress } from '../protocol/status.ts';
import type { Operate } from './operate.ts';
import { Problem } from './problem.ts';

export interface Hearing {
  progressed?(progress: Progress): void;
  noted?(text: string): void;
}

export type Input = Readonly<Record<string, string>>;

export interface Heard {
  /** Everything it answered, in its order. */
  readonly results: readonly unknown[];
  /** Why it failed, where it answered nothing; one that found something bad and says so has answered. */
  readonly problem: Problem | undefined;
  readonly exit: Extract<RunOutput, { readonly type: 'exit' }> | undefined;
}

/** Everything it answered. Throws a Problem where it failed. */
export async function runProgram(
  operate: Pick<Operate, 'runs'>,
  program: AskableProgram,
  input: Input,
  signal: AbortSignal,
): Promise<readonly unknown[]> {
  const { results, problem } = await hearRun(operate.runs(program, input, signal), program);
  if (problem !== undefined) throw problem;
  return results;
}

/** Listens to a run until its end. @param name of the program, for people */
export async function hearRun(
  outputs: AsyncIterable<RunOutput>,
  name: string,
  { progressed, noted }: Hearing = {},
): Promise<Heard> {
  const results: unknown[] = [];
  let failure: { readonly message: string; readonly remedy: string | undefined } | undefined;
  let exit: Heard['exit'];
  for await (const output of outputs) {
    if (output.type === 'progress') progressed?.(output.progress);
    else if (output.type === 'note') noted?.(output.text);
    else if (output.type === 'result') results.push(output.value);
    else if (output.type === 'failure') failure = output;
    else if (output.type === 'exit') exit = output;
  }
  return { results, problem: problemOf(name, results, failure, exit?.code), exit };
}

function problemOf(
  name: string,
  results: readonly unknown[],
  failure: { readonly message: string; readonly remedy: string | undefined } | undefined,
  code: number | undefined,
): Problem | undefined {
  if (failure !== undefined) {
    const { message, remedy } = failure;
    return new Problem(statusOf(code), codeOf(code), message, remedy === undefined ? {} : { remedy });
  }
  // It began: not a 503, at which a client asks again.
  if (code === undefined) {
    return new Problem(502, 'supervisor-away', `nobody knows how ${name} ended: the supervisor hung up`);
  }
  if (results.length > 0 || code === 0) return undefined;
  return new Problem(502, 'failed', `${name} ended with exit ${code}`, { remedy: 'see: GET /logs' });
}

/** One command of the command line, as `--json` prints it. */
export function commandInput(
  command: string,
  {
    words = [],
    options = {},
    keep,
  }: {
    readonly words?: readonly string[];
    /** By their names; undefined and false: not given. */
    readonly options?: Readonly<Record<string, string | boolean | undefined>>;
    /** The newest so many documents of it. */
    readonly keep?: number;
  } = {},
): Input {
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== false);
  return {
    command,
    words: JSON.stringify(words),
    options: JSON.stringify(Object.fromEntries(given)),
    ...(keep === undefined ? {} : { keep: String(keep) }),
  };
}

const STATUS: Readonly<Record<number, readonly [status: number, code: string]>> = {
  [CommandExit.usage]: [400, 'bad-request'],
  [CommandExit.notRunning]: [409, 'not-running'],
  [CommandExit.unknownName]: [404, 'unknown-name'],
  [CommandExit.refused]: [409, 'refused'],
  [CommandExit.invalidConfiguration]: [422, 'invalid-configuration'],
  [CommandExit.timedOut]: [504, 'timed-out'],
};

function statusOf(code: number | undefined): number {
  return STATUS[code ?? -1]?.[0] ?? 502;
}

function codeOf(code: number | undefined): string {
  return STATUS[code ?? -1]?.[1] ?? 'failed';
}
