/**
 * A dump of pg_dumpall: each of its databases is filled in a scratch database, and all of them get their names, and
 * the roles their passwords, in one transaction. Its roles exist before, but can do nothing until then.
 */
import { Failure } from '../base/errors.ts';
import { createScratch, databaseExists, moveIn } from '../postgres/app-database.ts';
import { connectAsSuperuser, type Server, type Session } from '../postgres/connect.ts';
import { createExtensions } from '../postgres/extensions.ts';
import { JOBS_DATABASE, MAINTENANCE_DATABASE, SUPERUSER } from '../postgres/layout.ts';
import type { LedgerEntry } from '../postgres/ledger.ts';
import { quoteIdentifier } from '../postgres/sql-text.ts';
import { makeImporter, makeUnfinishedRoles } from '../postgres/unfinished-roles.ts';
import type { ClusterFacts, DumpedDatabase } from './cluster-inspection.ts';
import type { ClusterTarget, Dump } from './dump.ts';
import { finishRoles } from './finish-roles.ts';
import type { ImportRequest } from './import-request.ts';
import { givenOf } from './prepare-import.ts';

interface Chosen {
  /** Its name in the dump. */
  readonly dumped: string;
  /** Its name here. */
  readonly name: string;
  readonly database: DumpedDatabase;
}

export async function importCluster(
  request: ImportRequest,
  dump: Dump,
  cluster: ClusterFacts,
  describe: (rows: number, databases: readonly string[]) => LedgerEntry,
): Promise<{ rows: number; kept: string | undefined }> {
  const { job, server, session } = request;
  const chosen = chooseDatabases(request, cluster);
  const replaces = await findReplaced(request, chosen);
  const made = await makeRoles(request, cluster);
  const importer = await makeImporter(session);
  const targets = new Map<string, ClusterTarget>();
  for (const { dumped, name, database } of chosen) {
    const own = name === job.plan.name;
    const who = own ? { user: server.appUser, password: server.appPassword } : importer;
    const scratch = await createScratch(session, job.plan.name, who.user, 'imp');
    const given = givenOf(own ? (job.plan.extensions ?? []) : [], database.facts.extensions);
    await createExtensions(server, scratch, who.user, given.wanted);
    targets.set(dumped, { database: scratch, ...who, facts: database.facts, given });
  }
  const rows = await dump.restoreCluster(targets);
  job.signal.throwIfAborted();
  const scratchOf = (dumped: string): string => targets.get(dumped)?.database ?? '';
  const others = chosen.filter(({ name }) => name !== job.plan.name);
  await handOver(
    server,
    session,
    importer.user,
    others.map(({ dumped, database }) => ({
      scratch: scratchOf(dumped),
      owner: ownerOf(database, cluster, job.plan.user),
    })),
  );
  const moves = chosen.map(({ dumped, name }) => ({
    scratch: scratchOf(dumped),
    name,
    replaces: replaces.has(name),
  }));
  const names = chosen.map(({ name }) => name);
  const kept = await moveIn(session, server, moves, describe(rows, names), async () => {
    await session.query(`DROP ROLE ${quoteIdentifier(importer.user)}`);
    await finishRoles(session, cluster, {
      made,
      names: new Map(chosen.map(({ dumped, name }) => [dumped, name])),
      job,
    });
  });
  if (others.length > 0)
    job.note(`imported besides ${job.plan.name}: ${others.map(({ name }) => name).join(', ')}`);
  for (const [name, aside] of kept)
    if (name !== job.plan.name) job.note(`the database ${name} that was there is now ${aside}`);
  return { rows, kept: kept.get(job.plan.name) };
}

/** The application's first: the one the plan names, or the only one that holds something. */
function chooseDatabases({ job, path }: ImportRequest, { databases }: ClusterFacts): Chosen[] {
  const filled = [...databases].filter(
    ([name, { facts }]) => facts.holdsSomething && !isOurs(name, facts.tables),
  );
  const candidates = filled.filter(([name]) => name !== 'template1');
  if (candidates.length < filled.length) job.note(`what ${path} holds of template1 is left out`);
  const { name } = job.plan;
  const application = databases.has(name) ? name : candidates.length === 1 ? candidates[0]?.[0] : undefined;
  if (application === undefined) {
    const names = [...databases.keys()].filter((each) => !each.startsWith('template'));
    throw new Failure(
      `cannot import ${path}: none of its databases is called ${name}, and it has ${candidates.length} with something in them: ${names.join(', ')}`,
      { remedy: `name the one of the application under database.name in the plan (or in DATABASE_URL)` },
    );
  }
  if (application !== name)
    job.note(
      `the database ${application} is the only one in ${path} that holds something: it is imported as ${name}`,
    );
  const own = databases.get(application);
  const others = candidates.filter(([each]) => each !== application);
  return [
    ...(own ? [{ dumped: application, name, database: own }] : []),
    // The name of the maintenance database is taken: the ledger lives there.
    ...others.map(([dumped, database]) => ({
      dumped,
      name: dumped === MAINTENANCE_DATABASE ? `${MAINTENANCE_DATABASE}_imported` : dumped,
      database,
    })),
  ];
}

/** The queue of a Bulkhead, and its maintenance database, whose history belongs to that volume. */
function isOurs(database: string, tables: ReadonlyMap<string, number>): boolean {
  if (database === JOBS_DATABASE) return true;
  return (
    database === MAINTENANCE_DATABASE &&
    tables.size > 0 &&
    [...tables.keys()].every((name) => name.startsWith('"bulkhead".'))
  );
}

async function findReplaced(
  { job, session, path, replace, replaceOthers = replace }: ImportRequest,
  chosen: readonly Chosen[],
): Promise<Set<string>> {
  const there = new Set<string>();
  for (const { name } of chosen) if (await databaseExists(session, name)) there.add(name);
  const inTheWay = [...there].filter((name) => (name === job.plan.name ? !replace : !replaceOthers));
  if (inTheWay.length === 0) return there;
  throw new Failure(`cannot import ${path}: there is a database ${inTheWay.join(', ')} already`, {
    remedy: `\`bulkhead db import --replace ${path}\` keeps what is there under another name`,
  });
}

/** Those of the dump that are not here yet; what is here keeps its password. */
async function makeRoles(
  { job, session }: ImportRequest,
  { roles, databases }: ClusterFacts,
): Promise<string[]> {
  const granted = [...databases.values()].flatMap(({ facts }) => [...facts.roles]);
  const wanted = new Set([...roles.roles.keys(), ...granted]);
  const names = [...wanted].filter(
    (name) => !name.startsWith('pg_') && ![SUPERUSER, JOBS_DATABASE, job.plan.user].includes(name),
  );
  const made = await makeUnfinishedRoles(session, names);
  const kept = [...roles.roles.keys()].filter((name) => names.includes(name) && !made.includes(name));
  if (kept.length > 0) job.note(`the roles ${kept.join(', ')} were there already, and are left as they are`);
  return made;
}

function ownerOf({ owner }: DumpedDatabase, { roles }: ClusterFacts, appUser: string): string {
  return owner !== undefined && owner !== SUPERUSER && roles.roles.has(owner) ? owner : appUser;
}

/** What the importer made becomes the owner's. */
async function handOver(
  server: Server,
  session: Session,
  importer: string,
  databases: readonly { readonly scratch: string; readonly owner: string }[],
): Promise<void> {
  // First, because REASSIGN OWNED would give all of the importer's databases to one owner.
  for (const { scratch, owner } of databases)
    await session.query(`ALTER DATABASE ${quoteIdentifier(scratch)} OWNER TO ${quoteIdentifier(owner)}`);
  for (const { scratch, owner } of databases) {
    const inside = await connectAsSuperuser(server, scratch);
    try {
      await inside.query(`REASSIGN OWNED BY ${quoteIdentifier(importer)} TO ${quoteIdentifier(owner)}`);
      await inside.query(`DROP OWNED BY ${quoteIdentifier(importer)}`);
    } finally {
      await inside.end();
    }
  }
}
