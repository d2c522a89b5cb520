/** Which PostgreSQL this volume has, and as whom its tools run. */
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import {
  findBinaries,
  findTool,
  hasServer,
  listClients,
  type PostgresBinaries,
  type PostgresTool,
} from '../postgres/binaries.ts';
import type { Server } from '../postgres/connect.ts';
import { findCluster } from '../postgres/find-cluster.ts';
import { type Layout, layoutOf, SUPERUSER } from '../postgres/layout.ts';
import { databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { Identity } from '../system/users.ts';

export interface PostgresPlace {
  readonly layout: Layout;
  readonly binaries: PostgresBinaries;
  readonly user: Identity;
}

export function findPostgres(job: Job): PostgresPlace {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const libraryDir = join(layout.sockets, 'lib');
  const binaries = job.plan.external
    ? (listClients(libraryDir)[0] ?? findBinaries({ libraryDir }))
    : findBinaries({ major: findCluster(layout)?.major, libraryDir });
  return { layout, binaries, user: databaseUser(job.plan.systemUser) };
}

/**
 * With clients that can dump a server of this major, for pg_dump reads no newer one than itself. Our own has them beside it.
 * Throws a Failure where there are none.
 */
export function placeToDump(place: PostgresPlace, major: number, what = 'dump the database'): PostgresPlace {
  if (place.binaries.major >= major) return place;
  const clients = listClients(join(place.layout.sockets, 'lib'));
  const found = clients.find((each) => each.major >= major);
  if (found) return { ...place, binaries: found };
  throw new Failure(
    `cannot ${what}: it is of a server of PostgreSQL ${major}, and here ${clients.length === 0 ? 'is no pg_dump' : `are only the client tools of PostgreSQL ${clients.map((each) => each.major).join(', ')}`}`,
    {
      remedy: `it needs the client tools of PostgreSQL ${major}: add the package postgresql-client-${major} to the image`,
      code: 'no-client',
      exitCode: CommandExit.refused,
    },
  );
}

/** With a server that takes what one of this major has dumped; undefined where none is installed. */
export function placeToRestore(place: PostgresPlace, major: number): PostgresPlace | undefined {
  const all = [place.binaries, ...listClients(join(place.layout.sockets, 'lib'))];
  const found = all.find((each) => each.major >= major && hasServer(each));
  return found && { ...place, binaries: found };
}

/** Throws a Failure that names the package where this installation has no such tool, as the one npm brings. */
export function requireTool(binaries: PostgresBinaries, name: PostgresTool, what: string): string {
  const path = findTool(binaries, name);
  if (path !== undefined) return path;
  throw new Failure(`cannot ${what}: this installation of PostgreSQL has no ${name}`, {
    remedy: `install the package postgresql-client-${binaries.major}`,
    code: 'no-client',
  });
}

/** Arguments and environment of a tool that connects as the superuser; no password stands in argv. */
export function asSuperuser(
  server: Server,
  binaries: PostgresBinaries,
): { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  return {
    argv: [`--host=${server.socketDir}`, `--port=${server.port}`, `--username=${SUPERUSER}`, '--no-password'],
    env: {
      PATH: process.env.PATH ?? '',
      LC_ALL: 'C',
      PGAPPNAME: 'bulkhead backup',
      ...binaries.env,
      ...(server.superuserPassword === undefined ? {} : { PGPASSWORD: server.superuserPassword }),
    },
  };
}
