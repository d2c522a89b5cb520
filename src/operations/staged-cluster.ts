/** A new cluster in a workspace: made, served to us alone, stopped and synced. */
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import type { PostgresBinaries } from '../postgres/binaries.ts';
import { runInitdb } from '../postgres/initdb.ts';
import type { Layout } from '../postgres/layout.ts';
import { nameOurselves } from '../postgres/nss-wrapper.ts';
import { readControlFile, wasShutDown } from '../postgres/pg-control.ts';
import { type PrivateServer, startPrivateServer } from '../postgres/private-server.ts';
import { ensureSecret, readSecret, SUPERUSER_PASSWORD } from '../postgres/secrets.ts';
import { canUsePeer } from '../postgres/system-user.ts';
import { runTool } from '../system/commands.ts';
import type { Identity } from '../system/users.ts';
import type { Workspace } from './workspace.ts';

export interface StagedOptions {
  readonly layout: Layout;
  readonly binaries: PostgresBinaries;
  readonly user: Identity;
  readonly signal: AbortSignal;
  /** Roles besides the superuser that the work has to be. */
  readonly roles: readonly string[];
  /** For initdb: `--wal-segsize=64`. */
  readonly more?: readonly string[];
  /** For initdb, instead of our own. */
  readonly locale?: readonly string[] | undefined;
}

/** The secret of the superuser, where peer authentication cannot be; made where there is none. */
export function superuserPassword(layout: Layout, user: Identity): string | undefined {
  if (canUsePeer(user)) return undefined;
  ensureSecret(layout.secrets, SUPERUSER_PASSWORD);
  return readSecret(layout.secrets, SUPERUSER_PASSWORD);
}

/** Makes it and lets `work` fill it. Nothing is synced before the end, and everything is at the end. */
export async function fillNewCluster(
  options: StagedOptions,
  { folder, cluster }: Workspace,
  work: (server: PrivateServer) => Promise<void>,
): Promise<void> {
  const { layout, binaries, user, signal } = options;
  const password = superuserPassword(layout, user);
  await runInitdb({
    binaries,
    user,
    superuserPassword: password,
    signal,
    stage: folder,
    data: cluster,
    more: ['--no-sync', ...(options.more ?? [])],
    locale: options.locale,
  });
  const server = await startPrivateServer({
    folder: cluster,
    binaries,
    user,
    parent: layout.sockets,
    care: 'staged',
    roles: options.roles,
    superuserPassword: password,
    signal,
  });
  try {
    await work(server);
  } finally {
    await server.stop();
  }
  await syncCluster({ folder, cluster }, binaries, user, signal);
}

/** Every file of a stopped cluster is on the disk afterwards. */
export async function syncCluster(
  { folder, cluster }: Workspace,
  binaries: PostgresBinaries,
  user: Identity,
  signal: AbortSignal,
): Promise<void> {
  if (!wasShutDown(readControlFile(cluster).state)) {
    throw new Failure(`cannot use ${cluster}: its server did not end in order`);
  }
  const result = await runTool([join(binaries.bin, 'initdb'), '--sync-only', '--pgdata', cluster], {
    env: { PATH: process.env.PATH, LC_ALL: 'C', ...binaries.env, ...nameOurselves(user, folder) },
    identity: user,
    signal,
  });
  if (!result.failed) return;
  throw new Failure(`cannot sync ${cluster}: ${result.stderr.trim().split('\n').at(-1) ?? ''}`);
}
