/** Which PostgreSQL this volume has, and as whom its tools run. */
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { findBinaries, findTool, type PostgresBinaries, type PostgresTool } from '../postgres/binaries.ts';
import type { Server } from '../postgres/connect.ts';
import { findCluster } from '../postgres/find-cluster.ts';
import { type Layout, layoutOf, SUPERUSER } from '../postgres/layout.ts';
import { databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import type { Identity } from '../system/users.ts';

export interface PostgresPlace {
  readonly layout: Layout;
  readonly binaries: PostgresBinaries;
  readonly user: Identity;
}

export function findPostgres(job: Job): PostgresPlace {
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  const binaries = findBinaries({
    major: findCluster(layout)?.major,
    libraryDir: join(layout.sockets, 'lib'),
  });
  return { layout, binaries, user: databaseUser(job.plan.systemUser) };
}

/** Throws a Failure that names the package where this installation has no such tool, as the one npm brings. */
export function requireTool(binaries: PostgresBinaries, name: PostgresTool, what: string): string {
  const path = findTool(binaries, name);
  if (path !== undefined) return path;
  throw new Failure(`cannot ${what}: this installation of PostgreSQL has no ${name}`, {
    remedy: `install the package postgresql-client-${binaries.major}`,
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
