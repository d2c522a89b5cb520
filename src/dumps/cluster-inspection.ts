/** A dump of pg_dumpall, read once: its roles, and each of its databases. */
import { Failure } from '../base/errors.ts';
import { ClusterRoles } from './cluster-roles.ts';
import { Inspection, type SqlFacts } from './inspection.ts';
import { connectTarget, isHarmless } from './psql-commands.ts';
import type { SqlPiece } from './sql-splitter.ts';
import { hasWords, isName, type SqlToken } from './sql-tokens.ts';
import type { RuleContext } from './statement-rules.ts';

export interface ClusterFacts {
  readonly roles: ClusterRoles;
  /** By name, in the order of the dump. */
  readonly databases: ReadonlyMap<string, DumpedDatabase>;
}

export interface DumpedDatabase {
  readonly owner: string | undefined;
  readonly facts: Omit<SqlFacts, 'bytes'>;
}

export class ClusterInspection {
  private readonly name: string;
  private readonly context: RuleContext;
  private readonly roles = new ClusterRoles();
  private readonly sections = new Map<string, Inspection>();
  private readonly owners = new Map<string, string>();
  private current: Inspection | undefined;
  private ownLine = 1;

  constructor(name: string, context: RuleContext) {
    this.name = name;
    this.context = context;
  }

  get line(): number {
    return this.current?.line ?? this.ownLine;
  }

  get table(): string {
    return this.current?.table ?? '';
  }

  take(piece: SqlPiece): void {
    if (piece.kind === 'command') {
      const database = connectTarget(piece.text);
      if (database !== undefined) {
        this.enter(database);
        return;
      }
      this.ownLine = piece.line;
      if (!this.current && !isHarmless(piece.text)) throw this.refused(piece.line, piece.text);
    }
    if (piece.kind === 'statement') {
      const owned = databaseOwner(piece.tokens);
      if (owned) this.owners.set(owned.database, owned.owner);
      if (!this.current || ClusterRoles.isSetting(piece.tokens)) {
        this.takeGlobal(piece.tokens, piece.line);
        return;
      }
    }
    this.current?.take(piece);
  }

  facts(): Omit<SqlFacts, 'bytes'> & { readonly cluster: ClusterFacts } {
    const databases = new Map<string, DumpedDatabase>();
    for (const [name, inspection] of this.sections)
      databases.set(name, { owner: this.owners.get(name), facts: inspection.facts() });
    const all = [...databases.values()].map(({ facts }) => facts);
    const sum = (number: (facts: Omit<SqlFacts, 'bytes'>) => number): number =>
      all.reduce((total, facts) => total + number(facts), 0);
    return {
      statements: sum(({ statements }) => statements),
      tables: new Map(
        [...databases].flatMap(([name, { facts }]) =>
          [...facts.tables].map(([table, rows]): [string, number] => [`${name}: ${table}`, rows]),
        ),
      ),
      rows: sum(({ rows }) => rows),
      extensions: new Map(all.flatMap(({ extensions }) => [...extensions])),
      roles: new Set(all.flatMap(({ roles }) => [...roles])),
      defers: all.some(({ defers }) => defers),
      holdsSomething: all.some(({ holdsSomething }) => holdsSomething),
      cluster: { roles: this.roles, databases },
    };
  }

  private enter(database: string): void {
    const section = this.sections.get(database) ?? new Inspection(this.name, this.context);
    this.sections.set(database, section);
    this.current = section;
  }

  private takeGlobal(tokens: readonly SqlToken[], line: number): void {
    this.ownLine = line;
    if (this.roles.take(tokens)) return;
    throw this.refused(
      line,
      tokens
        .slice(0, 4)
        .map(({ text }) => text)
        .join(' '),
    );
  }

  private refused(line: number, what: string): Failure {
    return new Failure(
      `cannot import ${this.name}: line ${line}: ${what} … is nothing pg_dumpall writes before the first database`,
      {
        remedy:
          'make the dump anew with pg_dumpall, or dump the one database of the application with pg_dump',
      },
    );
  }
}

function databaseOwner(
  tokens: readonly SqlToken[],
): { readonly database: string; readonly owner: string } | undefined {
  const [, , database, , , owner] = tokens;
  if (!hasWords(tokens, 0, 'alter', 'database') || !hasWords(tokens, 3, 'owner', 'to')) return undefined;
  return isName(database) && isName(owner) ? { database: database.text, owner: owner.text } : undefined;
}
