/** Reads a whole dump once without touching the database, and refuses what could not become whole. */
import { Failure } from '../base/errors.ts';
import { readableName } from '../postgres/sql-text.ts';
import { type SplitEnd, type SqlPiece, SqlSplitter } from './sql-splitter.ts';
import { clientEncoding, copyTarget, createdExtension, neededRoles } from './statement-facts.ts';
import { decide, type RuleContext } from './statement-rules.ts';

export interface SqlFacts {
  /** Bytes of text. */
  readonly bytes: number;
  readonly statements: number;
  /** Rows of COPY blocks by table (quoted, as named in the dump). */
  readonly tables: ReadonlyMap<string, number>;
  readonly rows: number;
  readonly extensions: ReadonlySet<string>;
  /** Roles the dump grants something to. */
  readonly roles: ReadonlySet<string>;
  /** Something must run after the data that pg_restore would run before it. */
  readonly defers: boolean;
}

export interface InspectOptions {
  /** What people call the dump. */
  readonly name: string;
  readonly context: RuleContext;
  /** pg_dump's last comment must be there. Not so for what pg_restore writes, which says by its exit that it is whole. */
  readonly needsTrailer: boolean;
}

/** Encodings in which a byte that looks like ASCII may be half of a character; a server cannot have them. */
const UNSAFE_ENCODINGS = new Set(['SJIS', 'SHIFT_JIS_2004', 'BIG5', 'GBK', 'UHC', 'GB18030', 'JOHAB']);
const TRAILER = /-- PostgreSQL database dump complete\r?\n--\s*(\\unrestrict \S+\s*)?$/;
const CLUSTER = /-- PostgreSQL database cluster dump/;

/** Throws a Failure that names the dump, the line and the cause. */
export async function inspectSql(text: AsyncIterable<Buffer>, options: InspectOptions): Promise<SqlFacts> {
  const inspection = new Inspection(options);
  const splitter = new SqlSplitter();
  let bytes = 0;
  let head = '';
  let tail: Buffer = Buffer.alloc(0);
  for await (const chunk of text) {
    bytes += chunk.length;
    if (head.length < 4096) {
      head += chunk.toString('latin1', 0, 4096);
      refuseOthers(head, options);
    }
    tail = chunk.length >= 1024 ? chunk.subarray(-1024) : Buffer.concat([tail, chunk]).subarray(-1024);
    for (const piece of splitter.push(chunk)) inspection.take(piece);
  }
  const rest = splitter.end();
  let step = rest.next();
  while (!step.done) {
    inspection.take(step.value);
    step = rest.next();
  }
  if (options.needsTrailer) refuseUnfinished(head, tail.toString('latin1'), step.value, inspection, options);
  return { bytes, ...inspection.facts() };
}

class Inspection {
  private readonly tables = new Map<string, number>();
  private readonly extensions = new Set<string>();
  private readonly roles = new Set<string>();
  private readonly databases = new Set<string>();
  private readonly options: InspectOptions;
  private defers = false;
  private statements = 0;
  private rows = 0;
  /** The table whose rows are being read, or were last. */
  table = '';
  line = 1;

  constructor(options: InspectOptions) {
    this.options = options;
  }

  take(piece: SqlPiece): void {
    if (piece.kind === 'dataEnd') return;
    if (piece.kind === 'data') {
      this.rows += piece.rows;
      this.tables.set(this.table, (this.tables.get(this.table) ?? 0) + piece.rows);
      return;
    }
    this.line = piece.line;
    if (piece.kind === 'command') {
      this.takeCommand(piece.text);
      return;
    }
    this.statements += 1;
    const { tokens } = piece;
    const decision = decide(tokens, this.options.context);
    if (decision.do === 'defer') this.defers = true;
    if (decision.do === 'refuse') this.refuse(decision.cause, decision.remedy);
    if (piece.copies) {
      this.table = copyTarget(tokens);
      this.tables.set(this.table, this.tables.get(this.table) ?? 0);
      return;
    }
    const extension = createdExtension(tokens);
    if (extension !== undefined) this.extensions.add(extension);
    if (decision.do === 'run' || decision.do === 'rewrite') {
      for (const role of neededRoles(tokens)) this.roles.add(role);
    }
    const encoding = clientEncoding(tokens);
    if (encoding !== undefined && UNSAFE_ENCODINGS.has(encoding)) {
      this.refuse(`it is in the encoding ${encoding}`, 'make the dump anew with pg_dump --encoding=UTF8');
    }
  }

  facts(): Omit<SqlFacts, 'bytes'> {
    const { statements, tables, rows, extensions, roles, defers } = this;
    return { statements, tables, rows, extensions, roles, defers };
  }

  private takeCommand(text: string): void {
    const [command, argument] = text.split(/\s+/);
    if (command === '\\restrict' || command === '\\unrestrict') return;
    if (command === '\\connect' || command === '\\c') {
      this.databases.add(argument ?? '');
      if (this.databases.size <= 1) return;
      this.refuse(
        `it is of several databases (${[...this.databases].join(', ')})`,
        'dump the one database of the application with pg_dump',
      );
    }
    this.refuse(
      `the command ${command ?? text} is for psql, and could run programs`,
      'make the dump anew with pg_dump, or take the line out if it is yours',
    );
  }

  private refuse(cause: string, remedy: string): never {
    throw new Failure(`cannot import ${this.options.name}: line ${this.line}: ${cause}`, { remedy });
  }
}

function refuseOthers(head: string, { name, needsTrailer }: InspectOptions): void {
  if (!needsTrailer) return;
  if (CLUSTER.test(head)) {
    throw new Failure(`cannot import ${name}: it is of a whole cluster (pg_dumpall)`, {
      remedy: 'dump the one database of the application with pg_dump',
    });
  }
  const other = /^-- (MySQL|MariaDB) dump|^(PRAGMA) foreign_keys/m.exec(head);
  if (other) {
    throw new Failure(`cannot import ${name}: it is of ${other[1] ?? 'SQLite'}, not of PostgreSQL`, {
      remedy: 'convert it first, e.g. with pgloader',
    });
  }
  if (head.startsWith('PGDMP')) {
    throw new Failure(`cannot import ${name}: it is a custom archive, compressed once more`, {
      remedy: 'decompress the file; the archive inside is compressed already',
    });
  }
}

function refuseUnfinished(
  head: string,
  tail: string,
  end: SplitEnd,
  at: Inspection,
  { name }: InspectOptions,
): void {
  const copyAgain = 'copy or make the dump again; nothing was changed';
  const cut = (where: string): never => {
    throw new Failure(`cannot import ${name}: it is cut off ${where}`, { remedy: copyAgain });
  };
  if (end === 'data')
    cut(`in the rows of ${readableName(at.table)} (after ${at.facts().rows.toLocaleString('en-US')} rows)`);
  const made = /^-- PostgreSQL database dump/m.test(head);
  if (made && end === 'quoted') cut(`inside a string or comment after line ${at.line}`);
  if (made && end === 'statement') cut(`inside a statement after line ${at.line}`);
  if (TRAILER.test(tail)) return;
  if (made) cut('before its last line, "PostgreSQL database dump complete"');
  throw new Failure(
    `cannot import ${name}: it is not a dump that pg_dump made, so nothing tells whether it is whole`,
    {
      remedy: 'make a dump with pg_dump; SQL of your own belongs under `init` of the database in the plan',
    },
  );
}
