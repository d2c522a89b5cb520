/** Runs the pieces of a dump in one session, statement by statement and row by row, never through psql. */
import { codeOf, Failure, messageOf } from '../base/errors.ts';
import type { Session } from '../postgres/connect.ts';
import { type CopySink, openCopy, runBytes } from '../postgres/raw-query.ts';
import { quoteIdentifier, readableName } from '../postgres/sql-text.ts';
import { connectTarget, isHarmless } from './psql-commands.ts';
import type { SplitEnd, SqlPiece } from './sql-splitter.ts';
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
  /** `trusted`: the session is the superuser's, in the role of the application. */
  readonly context: RuleContext;
  onRows(rows: number): void;
  /** A statement runs as the superuser: its line, and its first words. */
  readonly onElevated?: (line: number, what: string) => void;
}

interface Statement {
  readonly bytes: Buffer;
  readonly tokens: readonly SqlToken[];
  readonly line: number;
}

/** Statements in a row go together: a round trip and a commit each would cost more than many of them. */
const BATCH_BYTES = 256 * 1024;
/** Each may lock several tables, and the server's table of locks is small. */
const BATCH_STATEMENTS = 64;
const BATCHED = new Set(['insert', 'create', 'alter', 'comment', 'grant', 'revoke', 'select']);
/** What a DROP says when there is nothing to drop, as in a dump made with --clean. */
const NOTHING_TO_DROP = new Set(['42P01', '42704', '42883', '3F000', '42703']);
const NO_RIGHT = '42501';

export class SqlRun {
  private readonly session: Session;
  private readonly options: RestoreOptions;
  private readonly tables = new Map<string, RestoredTable>();
  private readonly skipped = new Map<string, number>();
  private readonly copied: { readonly target: string; readonly rows: number }[] = [];
  private batch: Statement[] = [];
  private batchBytes = 0;
  private readonly deferred: Buffer[] = [];
  private copy:
    | { readonly sink: CopySink; readonly target: string; readonly line: number; rows: number }
    | undefined;
  private rows = 0;
  /** The text began a transaction itself: what fails in it cannot be tried again. */
  private ownTransaction = false;

  constructor(session: Session, options: RestoreOptions) {
    this.session = session;
    this.options = options;
  }

  async take(piece: SqlPiece): Promise<void> {
    switch (piece.kind) {
      case 'command':
        if (isHarmless(piece.text) || connectTarget(piece.text) !== undefined) return;
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
    await this.requireNoTransaction();
    await this.findTables();
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
    if (decision.do === 'skip') return this.count(decision.why);
    if (decision.do === 'defer') {
      this.deferred.push(Buffer.from(bytes));
      return;
    }
    const statement = { bytes: rewritten(bytes, decision), tokens, line };
    if (decision.do === 'elevate') {
      await this.flush();
      return this.elevate(statement, decision.cause);
    }
    const first = tokens[0]?.text ?? '';
    if (!copies && BATCHED.has(first) && (!this.ownTransaction || first === 'insert')) {
      // The bytes may be the splitter's own memory, which the next chunk replaces.
      this.batch.push({ ...statement, bytes: Buffer.from(statement.bytes) });
      this.batchBytes += bytes.length;
      if (this.batchBytes >= BATCH_BYTES || this.batch.length >= BATCH_STATEMENTS) await this.flush();
      return;
    }
    await this.flush();
    if (first === 'begin' || first === 'start') this.ownTransaction = true;
    if (copies) {
      this.copy = { sink: openCopy(this.session, bytes), target: copyTarget(tokens), line, rows: 0 };
      return;
    }
    await this.runOne(statement);
  }

  private async runOne(statement: Statement): Promise<void> {
    const { bytes, tokens, line } = statement;
    try {
      this.rows += await this.send(bytes);
    } catch (error) {
      if (isNothingToDrop(tokens, error) && !this.ownTransaction) return this.count('nothing to drop');
      const elevates =
        this.options.context.trusted === true && codeOf(error) === NO_RIGHT && !this.ownTransaction;
      if (!elevates) throw this.failure(line, messageOf(error), error);
      await this.elevate(statement, messageOf(error));
    }
  }

  /** Only where the owner trusts the dump like code of their own. */
  private async elevate({ bytes, tokens, line }: Statement, why: string): Promise<void> {
    const words = tokens.slice(0, 5).map(({ text }) => text);
    this.options.onElevated?.(line, `${words.join(' ')} (${why})`);
    try {
      await this.session.query('RESET ROLE');
      this.rows += await runBytes(this.session, bytes);
      await this.session.query(`SET ROLE ${quoteIdentifier(this.options.context.appUser)}`);
    } catch (error) {
      throw this.failure(line, messageOf(error), error);
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
    this.copied.push({ target: copy.target, rows: taken });
  }

  /** By oid, so that a table named in two ways is one. */
  private async findTables(): Promise<void> {
    const { rows } = await this.session.query<{ oid: string | null }>(
      `SELECT pg_catalog.to_regclass(name)::pg_catalog.oid::pg_catalog.text AS oid
         FROM pg_catalog.unnest($1::text[]) WITH ORDINALITY AS u (name, n) ORDER BY n`,
      [this.copied.map(({ target }) => target)],
    );
    this.copied.forEach(({ target, rows: taken }, index) => {
      const oid = rows[index]?.oid;
      if (oid === null || oid === undefined) return;
      this.tables.set(oid, { name: target, expected: (this.tables.get(oid)?.expected ?? 0) + taken });
    });
  }

  /** What began a transaction and did not end it would be gone with the session. */
  private async requireNoTransaction(): Promise<void> {
    if (!this.ownTransaction) return;
    const { rows } = await this.session.query<{ open: boolean }>(
      'SELECT pg_catalog.now() <> pg_catalog.statement_timestamp() AS open',
    );
    if (!rows[0]?.open) return;
    throw new Failure(`cannot import ${this.options.name}: it begins a transaction and does not end it`, {
      remedy: 'add the COMMIT that is missing; is it cut off?',
    });
  }

  /** All or none of them; where one fails they are run again one by one, so that the one is found. */
  private async flush(): Promise<void> {
    const { batch } = this;
    if (batch.length === 0) return;
    this.batch = [];
    this.batchBytes = 0;
    const separated = batch.flatMap(({ bytes }) =>
      bytes.at(-1) === SEMICOLON ? [bytes, NEWLINE] : [bytes, END],
    );
    try {
      this.rows += await this.send(Buffer.concat(separated));
    } catch (error) {
      if (this.ownTransaction || !isOfStatement(error))
        throw this.failure(batch[0]?.line ?? 0, messageOf(error), error);
      for (const statement of batch) await this.runOne(statement);
    }
    this.options.onRows(this.rows);
  }

  /** Where all is one transaction, what fails must not end it: it may be nothing to drop, or be tried one by one. */
  private async send(sql: Buffer): Promise<number> {
    if (!this.options.context.inTransaction) return runBytes(this.session, sql);
    try {
      return await runBytes(this.session, Buffer.concat([SAVE, sql, RELEASE]));
    } catch (error) {
      if (isOfStatement(error)) await this.session.query('ROLLBACK TO SAVEPOINT bulkhead');
      throw error;
    }
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

const SEMICOLON = 0x3b;
const NEWLINE = Buffer.from('\n');
const END = Buffer.from(';\n');

const SAVE = Buffer.from('SAVEPOINT bulkhead; ');
const RELEASE = Buffer.from('\n; RELEASE SAVEPOINT bulkhead');

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

/** And not of the server or the connection, which the next statement would meet again. */
function isOfStatement(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^(08|53|57|58|XX)/.test(code);
}

/** The server counts the lines of the data, and names the column. */
function describeCopyError(error: unknown): string {
  const where = typeof error === 'object' && error !== null && 'where' in error ? String(error.where) : '';
  return `${messageOf(error)}${where === '' ? '' : ` (${where.split('\n')[0]})`}`;
}

function remedyFor(error: unknown): string {
  const code = codeOf(error);
  if (code === NO_RIGHT)
    return 'the dump needs rights of a superuser, and the application role has none: take that statement out, or set `import: { trusted: true }` if you trust the dump like code';
  if (code === '53100') return 'free space on the volume, then start again; nothing was changed';
  return 'nothing was changed; correct the dump, or make it anew with pg_dump';
}
