/** Everything of one cluster into a new one of any major: roles, databases, rights, settings, extensions. */
import { Failure } from '../base/errors.ts';
import type { PostgresBinaries } from '../postgres/binaries.ts';
import type { Layout } from '../postgres/layout.ts';
import { ensureLedger, type LedgerEntry, writeLedger } from '../postgres/ledger.ts';
import { readMachineSize } from '../postgres/machine-size.ts';
import type { PrivateServer } from '../postgres/private-server.ts';
import type { Job } from '../program/job.ts';
import { formatRows, tellProgress } from '../program/progress.ts';
import type { Identity } from '../system/users.ts';
import { asSuperuser, findNewestClients, runClient } from './clients.ts';
import { missingExtensions, readClusterFacts } from './cluster-facts.ts';
import { compareDatabase } from './compare-clusters.ts';
import { fillNewCluster, superuserPassword } from './staged-cluster.ts';
import { transferDatabase } from './transfer-database.ts';
import { adaptGlobals, listRoles } from './transfer-roles.ts';
import type { Workspace } from './workspace.ts';

export interface ClusterTransfer {
  readonly job: Job;
  readonly layout: Layout;
  readonly user: Identity;
  readonly from: PrivateServer;
  readonly fromMajor: number;
  /** Of the new cluster. */
  readonly binaries: PostgresBinaries;
  /** What is told while it runs: "upgrading PostgreSQL 15 to 18". */
  readonly what: string;
  /** What the new cluster's ledger says of it. */
  readonly entry: LedgerEntry;
}

export interface Transferred {
  readonly databases: number;
  readonly rows: number;
}

/** Throws a Failure where anything cannot be moved, or is not the same afterwards. */
export async function transferCluster(transfer: ClusterTransfer, workspace: Workspace): Promise<Transferred> {
  const { job, layout, user, from, binaries } = transfer;
  const { signal } = job;
  const libraryDir = `${layout.sockets}/lib`;
  const clients = { binaries: findNewestClients(transfer.fromMajor, libraryDir), user, signal };
  const superuser = asSuperuser(superuserPassword(layout, user));
  const facts = await readClusterFacts(from);
  const progress = tellProgress(transfer.what, job.report);
  const admin = await from.connect();
  const roles = await listRoles(admin).finally(() => admin.end());
  const globals = await runClient(clients, from, superuser, ['pg_dumpall', '--globals-only'], {
    keep: 64 * 1024 ** 2,
  });
  let rows = 0;
  const staged = { layout, binaries, user, signal, roles, more: facts.initdb, locale: facts.locale };
  await fillNewCluster(staged, workspace, async (server) => {
    const session = await server.connect();
    try {
      await refuseWithoutExtensions(session, facts.extensions, binaries.major);
      await session.query(adaptGlobals(globals.stdout));
      const jobs = Math.min(4, readMachineSize(layout.dataDir).cpus);
      const to = { server, superuser };
      let tables = 0;
      for (const name of facts.databases) {
        const onTable = (): void => {
          tables += 1;
          progress.tell(
            Math.min(tables, facts.tables - 1),
            facts.tables,
            `${name}: table ${tables} of ${facts.tables}`,
          );
        };
        const options = {
          clients,
          from: { server: from, superuser },
          to,
          folder: workspace.folder,
          jobs,
          onTable,
        };
        await transferDatabase(options, name);
        progress.tell(facts.tables - 1, facts.tables, `${name}: comparing every row`);
        rows += await compareDatabase(name, from, server);
        await analyze(server, name);
        signal.throwIfAborted();
      }
      await ensureLedger(session);
      await writeLedger(session, transfer.entry);
    } finally {
      await session.end();
    }
  });
  job.say(`${transfer.what}: ${formatRows(rows)} in ${facts.databases.length} databases are the same`);
  return { databases: facts.databases.length, rows };
}

async function refuseWithoutExtensions(
  session: Parameters<typeof missingExtensions>[0],
  names: readonly string[],
  major: number,
): Promise<void> {
  const missing = await missingExtensions(session, names);
  if (missing.length === 0) return;
  throw new Failure(`PostgreSQL ${major} here does not have the extensions ${missing.join(', ')}`, {
    remedy: `add their packages for PostgreSQL ${major} to the image`,
  });
}

/** Statistics do not come with a dump, and without them the first hours would be slow. */
async function analyze(server: PrivateServer, name: string): Promise<void> {
  const session = await server.connect(name);
  try {
    await session.query('ANALYZE');
  } finally {
    await session.end();
  }
}
