/**
 * One database from one server of ours to another, with owners, rights, settings and extensions. Its structure is made
 * by the superuser, which runs no code of the application; rows are loaded as the owner of each table, because the
 * constraints that check them do.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import type { Session } from '../postgres/connect.ts';
import { MAINTENANCE_DATABASE } from '../postgres/layout.ts';
import type { PrivateServer } from '../postgres/private-server.ts';
import { quoteIdentifier } from '../postgres/sql-text.ts';
import { type Caller, type Clients, runClient } from './clients.ts';
import { borrowRole } from './transfer-roles.ts';

export interface Side {
  readonly server: PrivateServer;
  readonly superuser: Caller;
}

export interface TransferOptions {
  readonly clients: Clients;
  readonly from: Side;
  readonly to: Side;
  /** For the dump, which is removed afterwards. */
  readonly folder: string;
  readonly jobs: number;
  /** Told when one more table begins. */
  readonly onTable: () => void;
}

export async function transferDatabase(options: TransferOptions, name: string): Promise<void> {
  const { clients, from, folder, jobs } = options;
  const archive = join(folder, 'dump');
  try {
    const dump = ['-Fd', '--compress=1', `--jobs=${jobs}`, '--no-sync', '--quote-all-identifiers'];
    await runClient(clients, from.server, from.superuser, [
      'pg_dump',
      ...dump,
      `--file=${archive}`,
      `--dbname=${connectionString(name)}`,
    ]);
    await restoreWhole(options, archive, name);
  } finally {
    rmSync(archive, { recursive: true, force: true });
  }
}

/** The archive in directory format, into a server that has its roles; a database of the name is made with its properties. */
async function restoreWhole(
  options: Omit<TransferOptions, 'from'>,
  archive: string,
  name: string,
): Promise<void> {
  const { clients, to, jobs, onTable } = options;
  const into = `--dbname=${connectionString(name)}`;
  const exit = '--exit-on-error';
  const onLine = (line: string): void => {
    if (/processing data for table|launching item \d+ TABLE DATA/.test(line)) onTable();
  };
  const make =
    name === MAINTENANCE_DATABASE
      ? [into]
      : ['--create', `--dbname=${connectionString(MAINTENANCE_DATABASE)}`];
  await runClient(clients, to.server, to.superuser, [
    'pg_restore',
    exit,
    '--section=pre-data',
    ...make,
    archive,
  ]);
  await loadRows(options, archive, name, onLine);
  await runClient(clients, to.server, to.superuser, [
    'pg_restore',
    exit,
    '--section=post-data',
    `--jobs=${jobs}`,
    into,
    archive,
  ]);
}

async function loadRows(
  options: Omit<TransferOptions, 'from'>,
  archive: string,
  name: string,
  onLine: (line: string) => void,
): Promise<void> {
  const { clients, to, folder, jobs } = options;
  const list = await runClient(
    clients,
    to.server,
    to.superuser,
    ['pg_restore', '--list', '--section=data', archive],
    { keep: 256 * 1024 ** 2 },
  );
  const session = await to.server.connect(name);
  try {
    for (const [owner, entries] of await byOwner(session, list.stdout)) {
      const listFile = join(folder, 'list');
      writeFileSync(listFile, `${entries.join('\n')}\n`, { mode: 0o644 });
      const load = (caller: Caller): Promise<unknown> =>
        runClient(
          clients,
          to.server,
          caller,
          [
            'pg_restore',
            '--exit-on-error',
            '--no-owner',
            '--section=data',
            '--verbose',
            `--jobs=${jobs}`,
            `--use-list=${listFile}`,
            `--dbname=${connectionString(name)}`,
            archive,
          ],
          { onLine },
        );
      if (owner === undefined) await load(to.superuser);
      else await loadAs(session, owner, load);
      rmSync(listFile, { force: true });
    }
  } finally {
    await session.end();
  }
}

async function loadAs(
  session: Session,
  owner: string,
  load: (caller: Caller) => Promise<unknown>,
): Promise<void> {
  const role = await borrowRole(session, owner);
  // A table may have been given to somebody who may not even see its schema.
  const { rows } = await session.query<{ nspname: string }>(
    `SELECT DISTINCT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relowner = $1::regrole AND n.nspname !~ '^pg_' AND NOT has_schema_privilege($2, n.oid, 'USAGE')`,
    [quoteIdentifier(owner), owner],
  );
  const grantee = quoteIdentifier(owner);
  for (const { nspname } of rows)
    await session.query(`GRANT USAGE ON SCHEMA ${quoteIdentifier(nspname)} TO ${grantee}`);
  await load({ user: owner, password: role.password });
  for (const { nspname } of rows)
    await session.query(`REVOKE USAGE ON SCHEMA ${quoteIdentifier(nspname)} FROM ${grantee}`);
  await role.giveBack();
}

/**
 * Lines of the table of contents by the owner of the table; undefined: the superuser. A table of which it is not certain
 * whose it is must not be loaded by a superuser.
 */
async function byOwner(session: Session, list: string): Promise<Map<string | undefined, string[]>> {
  const { rows } = await session.query<{ label: string; owner: string; elevated: boolean }>(
    `SELECT n.nspname || ' ' || c.relname || ' ' || r.rolname AS label, r.rolname AS owner, r.rolsuper AS elevated
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_catalog.pg_roles r ON r.oid = c.relowner WHERE c.relkind IN ('r', 'p', 'f')`,
  );
  const owners = new Map<string, string | undefined>();
  for (const { label, owner, elevated } of rows) {
    if (owners.has(label)) throw new Failure(`cannot tell two tables apart: ${label}`);
    owners.set(label, elevated ? undefined : owner);
  }
  const entries = new Map<string | undefined, string[]>();
  for (const line of list.split('\n')) {
    const entry = /^\d+; \d+ \d+ (?:TABLE DATA (.*)|\S.*)$/.exec(line);
    if (!entry) continue;
    const [, label] = entry;
    if (label !== undefined && !owners.has(label))
      throw new Failure(`cannot tell whose table this is: ${label}`);
    const owner = label === undefined ? undefined : owners.get(label);
    const lines = entries.get(owner);
    if (lines) lines.push(line);
    else entries.set(owner, [line]);
  }
  return entries;
}

/** A name with `=` or `://` would be taken for a connection string, so it always is one. */
function connectionString(database: string): string {
  return `dbname='${database.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
