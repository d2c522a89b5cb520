/** A cluster beside the real one, of which nothing stays: where a backup shows that it can be restored. */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { makeOwned, runInitdb } from '../postgres/initdb.ts';
import type { Layout } from '../postgres/layout.ts';
import { type PrivateServer, startPrivateServer } from '../postgres/private-server.ts';
import { readSecret, SUPERUSER_PASSWORD } from '../postgres/secrets.ts';
import { VERIFY_STAGE } from '../postgres/stages.ts';
import { canUsePeer } from '../postgres/system-user.ts';
import type { PostgresPlace } from './postgres-place.ts';

export interface ScratchOptions extends PostgresPlace {
  readonly signal: AbortSignal;
  /** Roles besides the superuser that somebody has to be. */
  readonly roles: readonly string[];
  /** Fills the folder with a cluster; undefined: a new one. */
  readonly fill?: (folder: string) => Promise<void>;
}

/** Starts it, lets `work` have it, and removes it whatever happens. */
export async function withScratchCluster<T>(
  options: ScratchOptions,
  work: (server: PrivateServer, superuserPassword: string | undefined) => Promise<T>,
): Promise<T> {
  const { layout, binaries, user, signal } = options;
  const stage = join(layout.pg, `${VERIFY_STAGE}${randomBytes(4).toString('hex')}`);
  const folder = join(stage, 'main');
  makeOwned(stage, user);
  try {
    const superuserPassword = passwordFor(options, layout);
    if (options.fill) await options.fill(folder);
    else {
      await runInitdb({
        binaries,
        user,
        stage,
        data: folder,
        superuserPassword,
        signal,
        more: ['--no-sync'],
      });
    }
    const server = await startPrivateServer({
      folder,
      binaries,
      user,
      parent: layout.sockets,
      care: 'scratch',
      superuserPassword,
      roles: options.roles,
      signal,
    });
    try {
      return await work(server, superuserPassword);
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** A copy of the cluster knows the superuser's own password, a new one whatever it is given. */
function passwordFor({ user, fill }: ScratchOptions, layout: Layout): string | undefined {
  if (canUsePeer(user)) return undefined;
  return fill ? readSecret(layout.secrets, SUPERUSER_PASSWORD) : randomBytes(24).toString('base64url');
}

/** Ends the server of a scratch cluster whose maker was killed. A pid alone is no proof: it must work in that folder. */
export async function endLeftover(folder: string): Promise<void> {
  const pid = readPid(join(folder, 'postmaster.pid'));
  for (let tries = 0; pid !== undefined && worksIn(pid, folder) && tries < 100; tries += 1) {
    process.kill(pid, 'SIGQUIT');
    await wait(50);
  }
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').split('\n')[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function worksIn(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder;
  } catch {
    return false;
  }
}
