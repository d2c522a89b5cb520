/** What the statements of one database say, gathered piece by piece. */
import { Failure } from '../base/errors.ts';
import { connectTarget, isHarmless } from './psql-commands.ts';
import type { SqlPiece } from './sql-splitter.ts';
import { hasWords, type SqlToken } from './sql-tokens.ts';
import { clientEncoding, copyTarget, createdExtension, neededRoles } from './statement-facts.ts';
import { decide, type RuleContext } from './statement-rules.ts';

export interface SqlFacts {
  /** Bytes of text. */
  readonly bytes: number;
  readonly statements: number;
  /** Rows of COPY blocks by table (quoted, as named in the dump). */
  readonly tables: ReadonlyMap<string, number>;
  readonly rows: number;
  /** Name, and the schema it is put into. */
  readonly extensions: ReadonlyMap<string, string | undefined>;
  /** Roles the dump grants something to. */
  readonly roles: ReadonlySet<string>;
  /** Something must run after the data that pg_restore would run before it. */
  readonly defers: boolean;
  /** Something is made, or filled: not only settings and comments. */
  readonly holdsSomething: boolean;
}

/** Encodings in which a byte that looks like ASCII may be half of a character; a server cannot have them. */
const UNSAFE_ENCODINGS = new Set(['SJIS', 'SHIFT_JIS_2004', 'BIG5', 'GBK', 'UHC', 'GB18030', 'JOHAB']);
const FILLING = new Set(['create', 'insert', 'copy']);

export class Inspection {
  private readonly tables = new Map<string, number>();
  private readonly extensions = new Map<string, string | undefined>();
  private readonly roles = new Set<string>();
  private readonly name: string;
  private readonly context: RuleContext;
  private defers = false;
  private holdsSomething = false;
  private statements = 0;
  private rows = 0;
  private database: string | undefined;
  /** The table whose rows are being read, or were last. */
  table = '';
  line = 1;

  constructor(name: string, context: RuleContext) {
    this.name = name;
    this.context = context;
  }

  take(piece: SqlPiece): void {
    if (piece.kind === 'dataEnd') return;
    if (piece.kind === 'data') {
      this.rows += piece.rows;
      this.tables.set(this.table, (this.tables.get(this.table) ?? 0) + piece.rows);
      return;
    }
    this.line = piece.line;
    if (piece.kind === 'command') this.takeCommand(piece.text);
    else this.takeStatement(piece.tokens, piece.copies);
  }

  facts(): Omit<SqlFacts, 'bytes'> {
    const { statements, tables, rows, extensions, roles, defers, holdsSomething } = this;
    return { statements, tables, rows, extensions, roles, defers, holdsSomething };
  }

  private takeStatement(tokens: readonly SqlToken[], copies: boolean): void {
    this.statements += 1;
    const decision = decide(tokens, this.context);
    if (decision.do === 'defer') this.defers = true;
    if (decision.do === 'refuse') this.refuse(decision.cause, decision.remedy);
    const runs = decision.do === 'run' || decision.do === 'rewrite';
    if (runs && FILLING.has(tokens[0]?.text ?? '') && !makesPublic(tokens)) this.holdsSomething = true;
    if (copies) {
      this.table = copyTarget(tokens);
      this.tables.set(this.table, this.tables.get(this.table) ?? 0);
      return;
    }
    const extension = createdExtension(tokens);
    if (extension !== undefined) this.extensions.set(extension.name, extension.schema);
    if (runs) for (const role of neededRoles(tokens)) this.roles.add(role);
    const encoding = clientEncoding(tokens);
    if (encoding !== undefined && UNSAFE_ENCODINGS.has(encoding)) {
      this.refuse(`it is in the encoding ${encoding}`, 'make the dump anew with pg_dump --encoding=UTF8');
    }
  }

  private takeCommand(text: string): void {
    if (isHarmless(text)) return;
    const database = connectTarget(text);
    if (database !== undefined) {
      this.database ??= database;
      if (this.database === database) return;
      this.refuse(
        `it is of several databases (${this.database}, ${database})`,
        'dump the one database of the application with pg_dump, or the whole cluster with pg_dumpall',
      );
    }
    this.refuse(
      `the command ${text.split(/\s/)[0]} is for psql, and could run programs`,
      'make the dump anew with pg_dump, or take the line out if it is yours',
    );
  }

  private refuse(cause: string, remedy: string): never {
    throw new Failure(`cannot import ${this.name}: line ${this.line}: ${cause}`, { remedy });
  }
}

function makesPublic(tokens: readonly SqlToken[]): boolean {
  return hasWords(tokens, 0, 'create', 'schema') && tokens[2]?.text === 'public';
}
