/** PostgreSQL's own client programs, used on private servers as a role of ours. */
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { findInstallations, findTool, type PostgresBinaries } from '../postgres/binaries.ts';
import { SUPERUSER } from '../postgres/layout.ts';
import type { PrivateServer } from '../postgres/private-server.ts';
import { runTool, type ToolResult } from '../system/commands.ts';
import type { Identity } from '../system/users.ts';

export interface Clients {
  readonly binaries: PostgresBinaries;
  readonly user: Identity;
  readonly signal: AbortSignal;
}

/** Whom a client connects as. */
export interface Caller {
  readonly user: string;
  readonly password: string | undefined;
}

/** pg_dump reads older servers and never newer ones: the newest there is, at least of the server's major. */
export function findNewestClients(major: number, libraryDir: string): PostgresBinaries {
  const found = findInstallations(libraryDir).find(
    (each) => each.major >= major && findTool(each, 'pg_dump') && findTool(each, 'pg_restore'),
  );
  if (found) return found;
  throw new Failure(
    `cannot move a database: here is no pg_dump and pg_restore of PostgreSQL ${major} or newer`,
    {
      remedy: `install the package postgresql-client-${major}`,
    },
  );
}

/** Throws a Failure with the tool's own words where it fails. */
export async function runClient(
  { binaries, user, signal }: Clients,
  server: PrivateServer,
  caller: Caller,
  argv: readonly [name: string, ...rest: string[]],
  options: { readonly onLine?: (line: string) => void; readonly keep?: number } = {},
): Promise<ToolResult> {
  const [name, ...rest] = argv;
  const result = await runTool(
    [
      join(binaries.bin, name),
      `--host=${server.socketDir}`,
      `--port=${server.port}`,
      `--username=${caller.user}`,
      '--no-password',
      ...rest,
    ],
    {
      env: {
        PATH: process.env.PATH ?? '',
        LC_ALL: 'C',
        ...binaries.env,
        ...(caller.password === undefined ? {} : { PGPASSWORD: caller.password }),
        PGOPTIONS: '-c default_transaction_read_only=off -c statement_timeout=0 -c lock_timeout=0',
      },
      identity: user,
      signal,
      ...options,
    },
  );
  signal.throwIfAborted();
  if (!result.failed) return result;
  throw new Failure(`${name} failed: ${lastWords(result)}`);
}

/** The bootstrap superuser of our clusters. */
export function asSuperuser(password: string | undefined): Caller {
  return { user: SUPERUSER, password };
}

function lastWords(result: ToolResult): string {
  const lines = result.stderr.split('\n').filter((line) => /error|fatal|ERROR|FATAL|DETAIL/.test(line));
  return lines.slice(0, 4).join('; ') || (result.message ?? 'it said nothing');
}
