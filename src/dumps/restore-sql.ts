/** Runs a stream of SQL in a session of the application role. */
import { messageOf } from '../base/errors.ts';
import type { Session } from '../postgres/connect.ts';
import { type RestoreOptions, type SqlRestored, SqlRun } from './sql-run.ts';
import { type SplitEnd, type SqlPiece, SqlSplitter } from './sql-splitter.ts';

export async function restoreSql(
  session: Session,
  text: AsyncIterable<Buffer>,
  options: RestoreOptions,
): Promise<SqlRestored> {
  const run = new SqlRun(session, options);
  try {
    return await run.finish(await splitInto(text, (piece) => run.take(piece)));
  } catch (error) {
    run.abort(error instanceof Error ? error : new Error(messageOf(error)));
    throw error;
  }
}

/** Hands over the pieces of a text one after the other; resolves to where it ended. */
export async function splitInto(
  text: AsyncIterable<Buffer>,
  take: (piece: SqlPiece) => Promise<void>,
): Promise<SplitEnd> {
  const splitter = new SqlSplitter();
  for await (const chunk of text) for (const piece of splitter.push(chunk)) await take(piece);
  const rest = splitter.end();
  for (;;) {
    const step = rest.next();
    if (step.done) return step.value;
    await take(step.value);
  }
}
