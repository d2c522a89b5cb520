/** Runs SQL in a session of the application role, statement by statement and row by row, never through psql. */
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import type { Session } from '../postgres/connect.ts';
import { type CopySink, openCopy, runBytes } from '../postgres/raw-query.ts';
import { readableName } from '../postgres/sql-text.ts';
import { type SplitEnd, type SqlPiece, SqlSplitter } from './sql-splitter.ts';
import { hasWords, type SqlToken } from './sql-tokens.ts';
import { copyTarget } from './statement-facts.ts';
import { type Decision, decide, type RuleContext } from './statement-rules.ts';

export interface RestoredTable {
  readonly name: string;
  readonly expected: number;
}

export interface SqlRestored {
  /** Rows by COPY, by the table's oid. */
  readonly tables: ReadonlyMap<string, RestoredTable>;
  readonly rows: number;
  /** Statements left out, by why. */
  readonly skipped: ReadonlyMap<string, number>;
  /** To be run when the rows have been counted. */
  readonly deferred: readonly Buffer[];
}

export interface RestoreOptions {
  readonly name: string;
  readonly context: RuleContext;
  onRows(rows: number): void;
}

/** INSERTs in a row go together: a round trip each would cost more than the rows. */
const BATCH_BYTES = 256 * 1024;
/** What a DROP says when there is nothing to drop, as in a dump made with --clean. */
const NOTHING_TO_DROP = new Set(['42P01', '42704', '42883', '3F000', '42703']);

export async function restoreSql(
  session: Session,
  text: AsyncIterable<Buffer>,
  options: RestoreOptions,
): Promise<SqlRestored> {
  const run = new SqlRun(session, options);
  const splitter = new SqlSplitter();
  try {
    for await (const chunk of text) for (const piece of splitter.push(chunk)) await run.take(piece);
    const rest = splitter.end();
    let step = rest.next();
    while (!step.done) {
      await run.take(step.value);
      step = rest.next();
    }
    return await run.finish(step.value);
  } catch (error) {
    run.abort(error instanceof Error ? error : new Error(messageOf(error)));
    throw error;
  }
}

class SqlRun {
  private readonly session: Session;
  private readonly options: RestoreOptions;
  private readonly tables = new Map<string, RestoredTable>();
  private readonly skipped = new Map<string, number>();
  private batch: Buffer[] = [];
  private batchBytes = 0;
  private readonly deferred: Buffer[] = [];
  private batchLine = 0;
  private copy:
    | { readonly sink: CopySink; readonly target: string; readonly line: number; rows: number }
    | undefined;
  private rows = 0;

  constructor(session: Session, options: RestoreOptions) {
    this.session = session;
    this.options = options;
  }

  async take(piece: SqlPiece): Promise<void> {
    switch (piece.kind) {
      case 'command':
        if (/^\\(restrict|unrestrict|connect|c)\b/.test(piece.text)) return;
        throw this.failure(piece.line, `${piece.text} is for psql, and this is not psql`, undefined);
      case 'data':
        return this.takeData(piece.bytes, piece.rows);
      case 'dataEnd':
        return this.endCopy();
      case 'statement':
        return this.takeStatement(piece.bytes, piece.tokens, piece.line, piece.copies);
    }
  }

  async finish(end: SplitEnd): Promise<SqlRestored> {
    if (end === 'quoted' || end === 'data') {
      throw new Failure(
        `cannot run ${this.options.name}: it ends inside ${end === 'data' ? 'the rows of a COPY' : 'a string or comment'}`,
      );
    }
    await this.flush();
    return { tables: this.tables, rows: this.rows, skipped: this.skipped, deferred: this.deferred };
  }

  abort(why: Error): void {
    this.copy?.sink.abort(why);
  }

  private async takeStatement(
    bytes: Buffer,
    tokens: readonly SqlToken[],
    line: number,
    copies: boolean,
  ): Promise<void> {
    const decision = decide(tokens, this.options.context);
    if (decision.do === 'refuse') throw this.failure(line, decision.cause, undefined, decision.remedy);
    if (decision.do === 'skip') {
      this.count(decision.why);
      return;
    }
    if (decision.do === 'defer') {
      this.deferred.push(Buffer.from(bytes));
      return;
    }
    if (hasWords(tokens, 0, 'insert', 'into')) {
      if (this.batch.length === 0) this.batchLine = line;
      // The bytes may be the splitter's own memory, which the next chunk replaces.
      this.batch.push(Buffer.from(bytes));
      this.batchBytes += bytes.length;
      if (this.batchBytes >= BATCH_BYTES) await this.flush();
      return;
    }
    await this.flush();
    if (copies) {
      this.copy = { sink: openCopy(this.session, bytes), target: copyTarget(tokens), line, rows: 0 };
      return;
    }
    try {
      this.rows += await runBytes(this.session, rewritten(bytes, decision));
    } catch (error) {
      if (isNothingToDrop(tokens, error)) this.count('nothing to drop');
      else throw this.failure(line, messageOf(error), error);
    }
  }

  private async takeData(bytes: Buffer, rows: number): Promise<void> {
    const { copy } = this;
    if (!copy) return;
    try {
      await copy.sink.write(bytes);
    } catch (error) {
      throw this.failure(copy.line, `${readableName(copy.target)}: ${describeCopyError(error)}`, error);
    }
    copy.rows += rows;
    this.options.onRows(this.rows + copy.rows);
  }

  private async endCopy(): Promise<void> {
    const { copy } = this;
    if (!copy) return;
    let taken: number;
    try {
      taken = await copy.sink.end();
    } catch (error) {
      throw this.failure(copy.line, `${readableName(copy.target)}: ${describeCopyError(error)}`, error);
    }
    this.copy = undefined;
    this.rows += taken;
    const { rows } = await this.session.query<{ oid: string | null }>(
      'SELECT pg_catalog.to_regclass($1)::pg_catalog.oid::pg_catalog.text AS oid',
      [copy.target],
    );
    const oid = rows[0]?.oid;
    if (oid === null || oid === undefined) return;
    this.tables.set(oid, { name: copy.target, expected: (this.tables.get(oid)?.expected ?? 0) + taken });
  }

  private async flush(): Promise<void> {
    if (this.batch.length === 0) return;
    const sql = Buffer.concat(this.batch);
    this.batch = [];
    this.batchBytes = 0;
    try {
      this.rows += await runBytes(this.session, sql);
    } catch (error) {
      throw this.failure(this.batchLine + linesBefore(sql, error), messageOf(error), error);
    }
    this.options.onRows(this.rows);
  }

  private count(why: string): void {
    this.skipped.set(why, (this.skipped.get(why) ?? 0) + 1);
  }

  private failure(line: number, cause: string, error: unknown, remedy?: string): Failure {
    return new Failure(`cannot import ${this.options.name}: line ${line}: ${cause}`, {
      remedy: remedy ?? remedyFor(error),
      cause: error,
    });
  }
}

function rewritten(bytes: Buffer, decision: Decision): Buffer {
  if (decision.do !== 'rewrite') return bytes;
  return Buffer.concat([
    bytes.subarray(0, decision.start),
    Buffer.from(decision.text),
    bytes.subarray(decision.end),
  ]);
}

function isNothingToDrop(tokens: readonly SqlToken[], error: unknown): boolean {
  const drops =
    hasWords(tokens, 0, 'drop') ||
    (hasWords(tokens, 0, 'alter') && tokens.some(({ text }) => text === 'drop'));
  return drops && NOTHING_TO_DROP.has(codeOf(error) ?? '');
}

/** The server says at which character of the batch it stopped. */
function linesBefore(sql: Buffer, error: unknown): number {
  const position =
    typeof error === 'object' && error !== null && 'position' in error ? Number(error.position) : Number.NaN;
  if (!Number.isFinite(position)) return 0;
  return sql.toString('utf8').slice(0, position).split('\n').length - 1;
}

/** The server counts the lines of the data, and names the column. */
function describeCopyError(error: unknown): string {
  const where = typeof error === 'object' && error !== null && 'where' in error ? String(error.where) : '';
  return `${messageOf(error)}${where === '' ? '' : ` (${where.split('\n')[0]})`}`;
}

function remedyFor(error: unknown): string {
  const code = codeOf(error);
  if (code === '42501')
    return 'the dump needs rights of a superuser, and the application role has none: take that statement out';
  if (code === '53100') return 'free space on the volume, then start again; nothing was changed';
  return 'nothing was changed; correct the dump, or make it anew with pg_dump';
}
