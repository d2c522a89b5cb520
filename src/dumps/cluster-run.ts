/** Runs a dump of pg_dumpall: each database's statements in a session of its own, in the database they are meant for. */
import { connectAsApp, type Session } from '../postgres/connect.ts';
import { ClusterRoles } from './cluster-roles.ts';
import { type ClusterTarget, type DumpSource, finishRestore, openImportSession } from './dump.ts';
import { connectTarget } from './psql-commands.ts';
import { requireAllTaken } from './require-all-taken.ts';
import { SqlRun } from './sql-run.ts';
import type { SplitEnd, SqlPiece } from './sql-splitter.ts';

export class ClusterRun {
  private readonly source: DumpSource;
  private readonly targets: ReadonlyMap<string, ClusterTarget>;
  private readonly onRows: (rows: number) => void;
  private current:
    | { readonly run: SqlRun; readonly session: Session; readonly target: ClusterTarget }
    | undefined;
  private rows = 0;

  /** A database that is not among the targets is passed over. */
  constructor(
    source: DumpSource,
    targets: ReadonlyMap<string, ClusterTarget>,
    onRows: (rows: number) => void,
  ) {
    this.source = source;
    this.targets = targets;
    this.onRows = onRows;
  }

  async take(piece: SqlPiece): Promise<void> {
    if (piece.kind === 'command') {
      const database = connectTarget(piece.text);
      if (database !== undefined) {
        await this.leave('between');
        return this.enter(this.targets.get(database));
      }
    }
    // Roles have been understood when the dump was inspected, and are made in the transaction that ends it all.
    if (piece.kind === 'statement' && ClusterRoles.isSetting(piece.tokens)) return;
    await this.current?.run.take(piece);
  }

  async finish(end: SplitEnd): Promise<number> {
    await this.leave(end);
    return this.rows;
  }

  abort(why: Error): void {
    this.current?.run.abort(why);
  }

  async end(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    if (!this.source.job.signal.aborted) await current?.session.end();
  }

  private async enter(target: ClusterTarget | undefined): Promise<void> {
    if (!target) return;
    const { job, server, path, context } = this.source;
    const { user, password, database, given } = target;
    const trusted = context.trusted === true;
    const session = await openImportSession(
      { ...server, appUser: user, appPassword: password },
      database,
      trusted,
    );
    await session.query('SET synchronous_commit = off');
    const before = this.rows;
    const run = new SqlRun(session, {
      name: path,
      context: { ...context, appUser: user, database, given },
      onRows: (rows) => this.onRows(before + rows),
      onElevated: (line, what) => job.say(`line ${line} of ${path} runs as the superuser: ${what}`),
    });
    this.current = { run, session, target };
  }

  /** Counted by the role that filled it, before the next one begins. */
  private async leave(end: SplitEnd): Promise<void> {
    const { current } = this;
    if (!current) return;
    const { run, session, target } = current;
    const restored = await run.finish(end);
    for (const [why, count] of restored.skipped)
      this.source.job.say(`left out of ${target.database}: ${count} × ${why}`);
    requireAllTaken(this.source.path, restored, target.facts);
    this.rows += restored.rows;
    this.current = undefined;
    await session.end();
    const tables = [...restored.tables].map(([table, { name, expected }]) => ({ table, name, expected }));
    const { user, password, database } = target;
    const app = await connectAsApp({ ...this.source.server, appUser: user, appPassword: password }, database);
    try {
      await finishRestore(this.source, app, tables, restored.deferred);
    } finally {
      if (!this.source.job.signal.aborted) await app.end();
    }
  }
}
