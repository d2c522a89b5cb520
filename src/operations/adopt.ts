/**
 * The program `adopt`: the data folder of another image becomes this volume's cluster. It is copied and never written;
 * the copy is started for us alone, and everything in it moves into a cluster of ours, whose superuser is ours, as in an
 * upgrade. So it may be of an older major, as long as its PostgreSQL is here.
 */
import { constants, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { identifyDumps } from '../database/find-dump.ts';
import { layOutRunDir, layOutVolume, takeOver } from '../database/volume.ts';
import { findBinaries, findInstallations, type PostgresBinaries } from '../postgres/binaries.ts';
import { findLack } from '../postgres/find-cluster.ts';
import { type Layout, layoutOf, SUPERUSER } from '../postgres/layout.ts';
import { nameOurselves } from '../postgres/nss-wrapper.ts';
import { newOperation } from '../postgres/operation.ts';
import { type PrivateServer, startPrivateServer } from '../postgres/private-server.ts';
import { scramVerifier } from '../postgres/scram.ts';
import { APP_PASSWORD, ensureSecret, NEXTAUTH_SECRET } from '../postgres/secrets.ts';
import { quoteLiteral } from '../postgres/sql-text.ts';
import { databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { AdoptPlan } from '../protocol/operations.ts';
import { runTool } from '../system/commands.ts';
import type { Identity } from '../system/users.ts';
import { sizeOf } from './cluster-facts.ts';
import { findForeignCluster } from './find-foreign-cluster.ts';
import { majorInUse } from './major-in-use.ts';
import { superuserPassword } from './staged-cluster.ts';
import { transferCluster } from './transfer-cluster.ts';
import { buildCluster } from './workspace.ts';

/** The copy, the new cluster, and a compressed dump of one database at a time. */
const ROOM = 2.2;
/** Of the other image: what they name may not be here, and ours are rendered. */
const THEIR_SETTINGS = ['postgresql.conf', 'postgresql.auto.conf'];

/** Input: `path`, `dryRun`. Only without a supervisor: a start would have made a cluster. */
export async function runAdopt(job: Job): Promise<void> {
  const { path = '', dryRun } = job.assignment.input;
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const user = databaseUser(job.plan.systemUser);
  const major = majorInUse(layout);
  if (major !== undefined) {
    throw new Failure(`cannot adopt ${path}: this volume has a cluster of PostgreSQL ${major} already`, {
      remedy: 'use an empty volume; or dump the other one, and: bulkhead db import --replace FILE',
      exitCode: CommandExit.refused,
    });
  }
  const folder = findForeignCluster(path);
  const lack = findLack(folder);
  if (lack !== undefined) throw new Failure(`cannot adopt ${folder}: ${lack}, so it is not whole`);
  refuseTablespaces(folder);
  const from = Number(readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim());
  const libraryDir = join(layout.sockets, 'lib');
  findBinaries({ major: from, libraryDir });
  const to = findInstallations(libraryDir).find((each) => !each.embedded)?.major ?? from;
  const plan: AdoptPlan = { folder, from, to: Math.max(from, to), bytes: sizeOf(folder) };
  if (dryRun === undefined) {
    layOutVolume(layout, user);
    layOutRunDir(layout, user);
    ensureSecret(layout.secrets, APP_PASSWORD);
    ensureSecret(layout.secrets, NEXTAUTH_SECRET);
    await adopt(job, layout, user, plan);
  }
  job.report({ type: 'result', value: plan });
}

async function adopt(job: Job, layout: Layout, user: Identity, plan: AdoptPlan): Promise<void> {
  const libraryDir = join(layout.sockets, 'lib');
  const old = findBinaries({ major: plan.from, libraryDir });
  const what = `adoption of ${plan.folder}`;
  const operation = newOperation('adopt', { from: undefined, to: plan.to, what });
  const password = superuserPassword(layout, user);
  await buildCluster({ layout, user, operation, needed: plan.bytes * ROOM }, async (workspace) => {
    const copy = join(workspace.folder, 'copy');
    const step = (detail: string): void =>
      job.report({
        type: 'progress',
        progress: { what: `adopting ${plan.folder}`, percent: undefined, detail },
      });
    step('copying it');
    await cp(plan.folder, copy, { recursive: true, dereference: true, mode: constants.COPYFILE_FICLONE });
    prepareCopy(copy, user);
    await makeSuperuser(copy, old, user, password, workspace.folder);
    const from = await startPrivateServer({
      folder: copy,
      binaries: old,
      user,
      parent: layout.sockets,
      care: 'durable',
      superuserPassword: password,
      settings: { default_transaction_read_only: 'on' },
      signal: job.signal,
    });
    try {
      await requireDatabase(job, from);
      const { name: database, user: role } = job.plan;
      const passed = await identifyDumps(layout, job.plan);
      await transferCluster(
        {
          job,
          layout,
          user,
          from,
          fromMajor: plan.from,
          binaries: findBinaries({ major: plan.to, libraryDir }),
          what: `adopting ${plan.folder}`,
          entry: {
            kind: 'adopt',
            sha256: undefined,
            detail: {
              database,
              user: role,
              file: plan.folder,
              from: plan.from,
              to: plan.to,
              ...(passed && { passed }),
            },
          },
        },
        workspace,
      );
    } finally {
      await from.stop();
      rmSync(copy, { recursive: true, force: true });
    }
  });
}

function refuseTablespaces(folder: string): void {
  const spaces = join(folder, 'pg_tblspc');
  if (!existsSync(spaces) || readdirSync(spaces).length === 0) return;
  throw new Failure(`cannot adopt ${folder}: it has tablespaces outside of its folder`, {
    remedy: 'dump it where it runs (pg_dumpall) and import the dump',
  });
}

/** The lock file is that of a server we saw not running, in a container that is gone or stopped. */
function prepareCopy(copy: string, user: Identity): void {
  rmSync(join(copy, 'postmaster.pid'), { force: true });
  for (const name of THEIR_SETTINGS) {
    if (existsSync(join(copy, name))) renameSync(join(copy, name), join(copy, `${name}.before`));
    writeFileSync(join(copy, name), '');
  }
  takeOver(copy, user);
}

/** By the server in single-user mode, which asks for no password: whoever owns the files is the superuser. */
async function makeSuperuser(
  copy: string,
  binaries: PostgresBinaries,
  user: Identity,
  password: string | undefined,
  folder: string,
): Promise<void> {
  const secret = password === undefined ? '' : ` PASSWORD ${quoteLiteral(scramVerifier(password))}`;
  const exists = `EXISTS (SELECT FROM pg_roles WHERE rolname = ${quoteLiteral(SUPERUSER)})`;
  const body = `BEGIN IF NOT ${exists} THEN CREATE ROLE ${SUPERUSER}; END IF; ALTER ROLE ${SUPERUSER} SUPERUSER LOGIN${secret}; END`;
  const result = await runTool([join(binaries.bin, 'postgres'), '--single', '-D', copy, 'template1'], {
    env: { PATH: process.env.PATH, ...binaries.env, ...nameOurselves(user, folder) },
    identity: user,
    input: `DO $do$ ${body} $do$\n`,
  });
  if (!result.failed && !/ERROR|FATAL|PANIC/.test(result.stderr)) return;
  const said = result.stderr.split('\n').find((line) => /ERROR|FATAL|PANIC/.test(line));
  throw new Failure(`cannot start the copy: ${said ?? result.message ?? ''}`);
}

/** Another name would let the next start make an empty database beside all the data. */
async function requireDatabase({ plan }: Job, server: PrivateServer): Promise<void> {
  const session = await server.connect('template1');
  try {
    const { rows } = await session.query<{ datname: string; owner: string }>(
      `SELECT datname, pg_get_userbyid(datdba) AS owner FROM pg_catalog.pg_database
        WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1`,
    );
    const found = rows.find(({ datname }) => datname === plan.name);
    if (found && found.owner === plan.user) return;
    const there = rows.map(({ datname, owner }) => `${datname} of ${owner}`).join(', ') || 'none';
    throw new Failure(`cannot adopt it: it has no database ${plan.name} of ${plan.user}, but ${there}`, {
      remedy: 'set database.name and database.user in the plan (or DATABASE_URL) to those of the application',
      exitCode: CommandExit.refused,
    });
  } finally {
    await session.end();
  }
}
