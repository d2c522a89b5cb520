/** Before something is put in the place of something else: a person at a terminal is asked, anybody else said --yes. */
import { createInterface } from 'node:readline';
import { Failure } from '../base/errors.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { Context } from './command.ts';

/** Resolves where it may be done; throws a Failure where not. `what`: "upgrade PostgreSQL 15 to 18" */
export async function confirm(context: Context, what: string): Promise<void> {
  const { given, io, json } = context;
  if (given.has('yes')) return;
  const asks = !json && io.err.isTTY && 'isTTY' in io.stdin && io.stdin.isTTY === true;
  if (!asks) {
    throw new Failure(`cannot ${what}: nobody said yes`, {
      remedy: 'add --yes, having read what it will do',
      exitCode: CommandExit.refused,
    });
  }
  io.err.write(`${what[0]?.toUpperCase()}${what.slice(1)}? [y/N] `);
  const answer = await readAnswer(context);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new Failure('nothing was done', { code: 'declined', exitCode: CommandExit.refused });
}

function readAnswer({ io }: Context): Promise<string> {
  const lines = createInterface({ input: io.stdin });
  return new Promise((resolve) => {
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => resolve(''));
  });
}
