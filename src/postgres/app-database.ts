/** The application's database: filled under a scratch name, and renamed in together with its ledger row. */
import { randomBytes } from 'node:crypto';
import { Failure } from '../base/errors.ts';
import { connectAsSuperuser, type Server, type Session } from './connect.ts';
import { derivedName, keptName } from './database-names.ts';
import { JOBS_DATABASE } from './layout.ts';
import { type LedgerEntry, writeLedger } from './ledger.ts';
import { quoteIdentifier } from './sql-text.ts';
import { inTransaction } from './transaction.ts';
import { dropUnfinishedRoles } from './unfinished-roles.ts';

export async function databaseExists(session: Session, name: string): Promise<boolean> {
  const { rows } = await session.query('SELECT FROM pg_catalog.pg_database WHERE datname = $1', [name]);
  return rows.length > 0;
}

/** Whether no relation was made in it but those that came with an extension. Only catalogs are read. */
export async function isEmptyDatabase(server: Server, name: string): Promise<boolean> {
  const session = await connectAsSuperuser(server, name);
  try {
    return await hasNoRelations(session);
  } finally {
    await session.end();
  }
}

/** The same of the database a session is in; the ledger and the queue, where they lie there, do not count. */
export async function hasNoRelations(session: Session): Promise<boolean> {
  const { rows } = await session.query(
    `SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', '${JOBS_DATABASE}') AND n.nspname !~ '^pg_(toast_)?temp_'
        AND (n.nspname, c.relname) NOT IN (('bulkhead', 'ledger'), ('bulkhead', 'ledger_pkey'))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e')
      LIMIT 1`,
  );
  return rows.length === 0;
}

/** An empty database from template0, owned by the application role. `imp`: to be imported into; `new`: to stay empty. */
export async function createScratch(
  session: Session,
  name: string,
  owner: string,
  why: 'imp' | 'new',
): Promise<string> {
  const scratch = `${derivedName(name, why)}${randomBytes(4).toString('hex')}`;
  await session.query(
    `CREATE DATABASE ${quoteIdentifier(scratch)} OWNER ${quoteIdentifier(owner)} TEMPLATE template0 ENCODING 'UTF8'`,
  );
  return scratch;
}

/**
 * Drops what interrupted imports of this database left behind, known by the eight hex digits `createScratch` gives them:
 * `shop__new_products` is somebody's. Returns their names.
 */
export async function dropScratches(session: Session, name: string): Promise<string[]> {
  const { rows } = await session.query<{ datname: string }>(
    `SELECT datname FROM pg_catalog.pg_database
      WHERE right(datname::text, 8) ~ '^[0-9a-f]{8}$'
        AND left(datname::text, -8) IN ($1, $2)`,
    [derivedName(name, 'imp'), derivedName(name, 'new')],
  );
  for (const { datname } of rows) await dropDatabase(session, datname);
  await dropUnfinishedRoles(session);
  return rows.map(({ datname }) => datname);
}

export async function dropDatabase(session: Session, name: string): Promise<void> {
  await session.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`);
}

/** One transaction: the database has its name if and only if the ledger says so. */
export async function renameIn(
  session: Session,
  scratch: string,
  name: string,
  entry: LedgerEntry,
): Promise<void> {
  await terminateSessions(session, scratch);
  await inTransaction(session, async () => {
    await writeLedger(session, entry);
    await rename(session, scratch, name);
  });
}

/**
 * As `renameIn`, where a database of the name is there: it is kept under another one, which is returned. New sessions
 * wait for the rename; those that are there are ended again and again until it went through.
 */
export async function swapIn(
  session: Session,
  server: Server,
  scratch: string,
  name: string,
  entry: LedgerEntry,
): Promise<string> {
  const kept = await moveIn(session, server, [{ scratch, name, replaces: true }], entry);
  return kept.get(name) ?? '';
}

export interface Move {
  readonly scratch: string;
  readonly name: string;
  /** A database of the name is there, and is kept under another. */
  readonly replaces: boolean;
}

/**
 * Any number of databases in one transaction, with the ledger row and what `within` does when they have their names; its first move is the
 * application's. Resolves to the new names of what was there.
 */
export async function moveIn(
  session: Session,
  server: Server,
  moves: readonly Move[],
  entry: LedgerEntry,
  within: () => Promise<void> = () => Promise.resolve(),
): Promise<ReadonlyMap<string, string>> {
  const replaced = moves.filter(({ replaces }) => replaces).map(({ name }) => name);
  const kept = await nameAside(session, replaced);
  for (const { scratch } of moves) await terminateSessions(session, scratch);
  const helper = await connectAsSuperuser(server);
  const endSessions = async (): Promise<void> => {
    for (const name of replaced) await terminateSessions(helper, name);
  };
  let ending: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    ending = ending.then(endSessions).catch(() => undefined);
  }, 100);
  const own = kept.get(moves[0]?.name ?? '');
  const written = own === undefined ? entry : { ...entry, detail: { ...entry.detail, replaced: own } };
  try {
    await endSessions();
    await inTransaction(session, async () => {
      await writeLedger(session, written);
      for (const [name, aside] of kept) await rename(session, name, aside);
      for (const { scratch, name } of moves) await rename(session, scratch, name);
      await within();
    });
  } finally {
    clearInterval(timer);
    await ending;
    await helper.end();
  }
  return kept;
}

/** Names with the time in them, a second later where two replacements come in one. */
async function nameAside(
  session: Session,
  replaced: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  for (let at = Date.now(); ; at += 1000) {
    const kept = new Map(replaced.map((name) => [name, keptName(name, at)]));
    const taken = await Promise.all([...kept.values()].map((aside) => databaseExists(session, aside)));
    if (!taken.includes(true)) return kept;
  }
}

function rename(session: Session, from: string, to: string): Promise<unknown> {
  return session.query(`ALTER DATABASE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`);
}

/** Held until the session ends: imports, set-ups and backups never run at once, whoever started them. */
export async function lockDatabases(session: Session): Promise<void> {
  const { rows } = await session.query<{ locked: boolean }>(
    `SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended('bulkhead', 0)) AS locked`,
  );
  if (rows[0]?.locked) return;
  throw new Failure('cannot work on the database: an import, a backup or the set-up is running', {
    remedy: 'wait until it has ended, see `bulkhead status`',
  });
}

async function terminateSessions(session: Session, database: string): Promise<void> {
  await session.query(
    `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
      WHERE datname = $1 AND pid <> pg_catalog.pg_backend_pid() AND backend_type <> 'autovacuum worker'`,
    [database],
  );
}
