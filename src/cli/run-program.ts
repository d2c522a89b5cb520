import { Failure } from '../base/errors.ts';
import type { AskableProgram, RunOutput, RunRequest } from '../protocol/control.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { Progress } from '../protocol/status.ts';
import type { Context } from './command.ts';
import { untilInterrupted } from './follow.ts';
import { cutText, tameLine } from './terminal.ts';

const ERASE_LINE = '\r\x1b[2K';

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
  const show = createProgressLine(context);
  const request: RunRequest = { program, input };
  let result: unknown;
  let failure: Failure | undefined;
  const code = await untilInterrupted(context.io, async (signal) => {
    const outputs = await client.lines<RunOutput>('/v1/runs', {
      signal,
      write: (post) => post.end(JSON.stringify(request)),
    });
    for await (const output of outputs) {
      if (output.type === 'progress') show(output.progress);
      else if (output.type === 'note') context.remark(`note: ${tameLine(output.text)}`);
      else if (output.type === 'result') result = output.value;
      else if (output.type === 'failure') {
        const { message, remedy } = output;
        failure = new Failure(message, {
          code: 'program-failed',
          ...(remedy === undefined ? {} : { remedy }),
        });
      } else if (output.type === 'exit') return output.code;
    }
    return undefined;
  });
  show(undefined);
  if (failure) throw failure;
  if (code === 0) return result;
  if (code !== undefined) throw new Failure(`cannot finish ${program}: it ended with exit ${code}`);
  throw new Failure(`cannot tell how ${program} ended: the connection is gone`, {
    exitCode: CommandExit.unreachable,
    remedy: 'see what became of it: bulkhead status, bulkhead logs',
  });
}

/** One line that moves, on a terminal only. */
function createProgressLine({ io, json }: Context): (progress: Progress | undefined) => void {
  const { columns } = io.err;
  if (columns === undefined || json) return () => {};
  let drawn = false;
  return (progress) => {
    if (progress === undefined) {
      if (drawn) io.err.write(ERASE_LINE);
      return;
    }
    const percent = progress.percent === undefined ? '' : ` ${Math.floor(progress.percent)} %`;
    const detail = progress.detail === undefined ? '' : `  ${progress.detail}`;
    io.err.write(ERASE_LINE + cutText(tameLine(`${progress.what}${percent}${detail}`), columns - 1));
    drawn = true;
  };
}
