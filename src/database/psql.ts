/** How a person gets a psql of the application's database. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import type { DatabasePlan, ExternalServer } from '../config/plan.ts';
import { findBinaries, findTool, type PostgresBinaries } from '../postgres/binaries.ts';
import { findCluster } from '../postgres/find-cluster.ts';
import { layoutOf } from '../postgres/layout.ts';
import { libpqEnvironment } from '../postgres/libpq-environment.ts';
import { APP_PASSWORD, readSecret } from '../postgres/secrets.ts';
import { CommandExit } from '../protocol/exit-codes.ts';

export interface PsqlInvocation {
  readonly argv: readonly string[];
  /** To be added to the caller's environment; holds the password, which never stands in argv. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * psql as the application role, over TCP on the loopback, which every user of the container may use. `args` go to
 * psql as they are. Throws a Failure where there is no psql or no cluster, or the password cannot be read.
 */
export function psqlInvocation(
  dataDir: string,
  plan: DatabasePlan,
  runDir: string,
  args: readonly string[] = [],
): PsqlInvocation {
  const layout = layoutOf(dataDir, runDir);
  if (plan.external) return outside(plan, plan.external, join(layout.sockets, 'lib'), args);
  if (!existsSync(layout.pg)) {
    throw new Failure(`cannot open psql: ${dataDir} holds no database yet`, {
      remedy:
        'name the volume of the supervisor you mean with --data DIR, or start it first: bulkhead up. If it is in a container: docker exec -it CONTAINER bulkhead db psql',
      exitCode: CommandExit.notRunning,
    });
  }
  const binaries = findBinaries({
    major: findCluster(layout)?.major,
    libraryDir: join(layout.sockets, 'lib'),
  });
  const psql = requirePsql(binaries);
  const password = plan.password ?? readSecret(layout.secrets, APP_PASSWORD);
  return {
    argv: [psql, ...args],
    env: {
      ...binaries.env,
      PGHOST: '127.0.0.1',
      PGPORT: String(plan.port),
      PGUSER: plan.user,
      PGDATABASE: plan.name,
      ...(password !== undefined && { PGPASSWORD: password }),
    },
  };
}

/** Any psql will do; what the URL says goes by libpq's own variables, for an argument would show the password. */
function outside(
  plan: DatabasePlan,
  server: ExternalServer,
  libraryDir: string,
  args: readonly string[],
): PsqlInvocation {
  const binaries = findBinaries({ libraryDir });
  return {
    argv: [requirePsql(binaries), ...args],
    env: { ...binaries.env, ...libpqEnvironment(server, plan) },
  };
}

function requirePsql(binaries: PostgresBinaries): string {
  const psql = findTool(binaries, 'psql');
  if (psql !== undefined) return psql;
  throw new Failure('cannot open psql: this installation of PostgreSQL has none', {
    remedy: `install the package postgresql-client-${binaries.major}`,
  });
}
