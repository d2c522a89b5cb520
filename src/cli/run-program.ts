import { Failure } from '../base/errors.ts';
import type { ProgramName } from '../config/plan-runs.ts';
import type { Report } from '../protocol/channel.ts';
import type { AskableProgram, RunOutput, RunRequest } from '../protocol/control.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { Context } from './command.ts';
import { untilInterrupted } from './follow.ts';
import { createProgressLine } from './progress-line.ts';
import { tameLine } from './terminal.ts';

/**
 * Asks PID 1 to run one of its programs and shows its progress on standard error. Resolves with what the program
 * answered; throws a Failure where it failed. Ctrl-C ends the program too.
 */
export async function runProgram(
  context: Context,
  program: AskableProgram,
  input: Readonly<Record<string, string>>,
): Promise<unknown> {
  const client = await context.client();
  const request: RunRequest = { program, input };
  return hearProgram(context, program, async (signal, hear) => {
    const outputs = await client.lines<RunOutput>('/v1/runs', {
      signal,
      write: (post) => post.end(JSON.stringify(request)),
    });
    for await (const output of outputs) {
      if (output.type === 'exit') return output.code;
      if (output.type !== 'error') hear(output);
    }
    return undefined;
  });
}

/** Shows what a program says while it runs, wherever it does; `run` resolves with its exit code, if that is known. */
export async function hearProgram(
  context: Context,
  program: ProgramName,
  run: (signal: AbortSignal, hear: (report: Report) => void) => Promise<number | undefined>,
): Promise<unknown> {
  const show = createProgressLine(context);
  let result: unknown;
  let told: Extract<Report, { type: 'failure' }> | undefined;
  const hear = (report: Report): void => {
    if (report.type === 'progress') {
      show(report.progress);
      context.io.hear?.(report);
    } else if (report.type === 'note') context.remark(`note: ${tameLine(report.text)}`);
    else if (report.type === 'result') result = report.value;
    else if (report.type === 'failure') told = report;
  };
  const code = await untilInterrupted(context.io, (signal) => run(signal, hear));
  show(undefined);
  if (told) {
    throw new Failure(told.message, {
      code: 'program-failed',
      exitCode: commandExit(code),
      ...(told.remedy === undefined ? {} : { remedy: told.remedy }),
    });
  }
  if (code === 0) return result;
  if (code !== undefined) throw new Failure(`cannot finish ${program}: it ended with exit ${code}`);
  throw new Failure(`cannot tell how ${program} ended: the connection is gone`, {
    exitCode: CommandExit.unreachable,
    remedy: 'see what became of it: bulkhead status, bulkhead logs',
  });
}

/** A program that ends with a code of commands (refused, no such name) gives it to its command; others are a boot's. */
function commandExit(code: number | undefined): number {
  const known = Object.values<number>(CommandExit).find((each) => each === code);
  return known === undefined || known === CommandExit.ok ? CommandExit.failed : known;
}
