/** What the import of any format has in common. */
import { connectAsApp, connectAsSuperuser, type Server, type Session } from '../postgres/connect.ts';
import { quoteIdentifier } from '../postgres/sql-text.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import type { DumpFormat } from './dump-format.ts';
import type { Inspected } from './inspect-sql.ts';
import type { SqlFacts } from './inspection.ts';
import type { Given, RuleContext } from './statement-rules.ts';
import { type ExpectedRows, verifyRows } from './verify-rows.ts';

export interface DumpSource {
  readonly job: Job;
  readonly server: Server;
  readonly path: string;
  readonly context: RuleContext;
  /** The target is filled in one transaction, and this is the last thing before its commit. */
  readonly inPlace?: (app: Session, rows: number) => Promise<void>;
}

export interface Dump {
  readonly format: DumpFormat;
  /** Reads all of it without touching the database. Throws a Failure where it cannot become whole. */
  inspect(): Promise<Inspected>;
  /** Fills an empty database, counts, and resolves to the rows. */
  restore(database: string, facts: SqlFacts, given: Given | undefined): Promise<number>;
  /** Of a whole cluster: the databases its databases are restored into, and by whom. */
  restoreCluster(targets: ReadonlyMap<string, ClusterTarget>): Promise<number>;
  /** Known after `inspect`. */
  sha256(): string;
}

/** Where one database of a cluster's dump goes. */
export interface ClusterTarget {
  readonly database: string;
  /** Who runs it, and owns what it makes. */
  readonly user: string;
  readonly password: string;
  readonly facts: Omit<SqlFacts, 'bytes'>;
  readonly given: Given | undefined;
}

/**
 * A session of the application role. Where the plan trusts the dump it is the superuser's, who has put on that role
 * and takes it off for what needs it.
 */
export async function openImportSession(
  server: Server,
  database: string,
  trusted: boolean,
): Promise<Session> {
  if (!trusted) return connectAsApp(server, database);
  const session = await connectAsSuperuser(server, database);
  // A session of ours looks nowhere but in pg_catalog; a dump that says nothing about it means the usual places.
  await session.query('SET search_path = "$user", public');
  await session.query(`SET ROLE ${quoteIdentifier(server.appUser)}`);
  return session;
}

/** The end of every restore: count, run what had to wait for that, and give the planner its numbers. */
export async function finishRestore(
  { job, path, inPlace }: DumpSource,
  app: Session,
  expected: readonly ExpectedRows[],
  deferred: readonly Buffer[],
): Promise<void> {
  // Nothing has to be durable before the rename: ANALYZE alone would wait for the disk once a table.
  if (inPlace === undefined) await app.query('SET synchronous_commit = off');
  const progress = tellProgress(`verifying ${path}`, job.report, job.say);
  const total = expected.length;
  progress.tell(0, total, `${total} tables`);
  const uncounted = await verifyRows(app, path, expected, {
    inTransaction: inPlace !== undefined,
    onTables: (done) => progress.tell(done, total, `${done} of ${total} tables counted`),
  });
  if (uncounted.length > 0) job.say(`could not count the rows of ${uncounted.join(', ')}`);
  for (const sql of deferred) await app.query(sql.toString('utf8'));
  await analyzeOwnTables(app);
}

/**
 * First statistics for the planner, as vacuumdb --analyze-in-stages does it: a small sample now, so that nobody waits;
 * PostgreSQL's own autovacuum takes the full one within a minute. It does so because columns are named here: then
 * ANALYZE leaves the count of modified rows as it is, and the costly expressions of indexes alone
 * (src/backend/commands/analyze.c). A bare ANALYZE would also ask for every catalogue, and be refused each.
 */
async function analyzeOwnTables(app: Session): Promise<void> {
  const { rows } = await app.query<{ name: string }>(
    `SELECT format('%I.%I (%s)', n.nspname, c.relname, string_agg(quote_ident(a.attname), ', ')) AS name
       FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relkind IN ('r', 'p', 'm') AND c.relowner = (SELECT oid FROM pg_roles WHERE rolname = session_user)
      GROUP BY n.nspname, c.relname`,
  );
  if (rows.length === 0) return;
  await app.query('SET default_statistics_target = 10');
  await app.query(`ANALYZE ${rows.map(({ name }) => name).join(', ')}`);
}
