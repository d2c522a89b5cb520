/** A copy of a base backup, recovered to a moment in a workspace: served to us alone, promoted, stopped and synced. */
import { constants, rmSync, writeFileSync } from 'node:fs';
import { chmod, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { requireTool } from '../backups/postgres-place.ts';
import { Failure } from '../base/errors.ts';
import { takeOver } from '../database/volume.ts';
import type { PostgresBinaries } from '../postgres/binaries.ts';
import type { Layout } from '../postgres/layout.ts';
import { type PrivateServer, startPrivateServer } from '../postgres/private-server.ts';
import { CLUSTER_FOLDER } from '../protocol/backups.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { runTool } from '../system/commands.ts';
import type { Identity } from '../system/users.ts';
import { fetchScript } from '../wal/fetch-script.ts';
import { quoteCommandPath } from '../wal/quote-shell.ts';
import { superuserPassword, syncCluster } from './staged-cluster.ts';
import type { Workspace } from './workspace.ts';

export interface RecoverOptions {
  readonly layout: Layout;
  readonly binaries: PostgresBinaries;
  readonly user: Identity;
  readonly signal: AbortSignal;
  /** The folder of the base backup. */
  readonly backup: string;
  readonly archive: string;
  /** Names of files that must be in the archive. */
  readonly needed: readonly string[];
  readonly timeline: number;
  /** As recovery_target_time takes it; undefined: the end of the log. */
  readonly target: string | undefined;
  /** Settings of the plan without which the log cannot be replayed. */
  readonly settings: Readonly<Record<string, string>>;
  /** Told what comes next, and how many segments were replayed, of at most how many. */
  readonly onStep: (detail: string, done?: number, most?: number) => void;
}

/** What PostgreSQL says where the log ends before the target. Never tried again without one. */
const TOO_SHORT = 'recovery ended before configured recovery target was reached';

export async function recoverInto(
  options: RecoverOptions,
  workspace: Workspace,
  work: (server: PrivateServer) => Promise<void>,
): Promise<void> {
  const { layout, binaries, user, signal } = options;
  await copyBase(options, workspace);
  options.onStep('replaying the log');
  const refusals: string[] = [];
  let replayed = 0;
  const server = await startPrivateServer({
    folder: workspace.cluster,
    binaries,
    user,
    parent: layout.sockets,
    care: 'staged',
    superuserPassword: superuserPassword(layout, user),
    signal,
    settings: recoverySettings(options, workspace),
    onLine: (line) => {
      if (line.startsWith('bulkhead: cannot use')) refusals.push(line.slice('bulkhead: '.length));
      if (/restored log file "[0-9A-F]{24}"/.test(line)) {
        replayed += 1;
        const most = options.needed.length;
        options.onStep(`replayed ${replayed} of at most ${most} segments`, replayed, most);
      }
    },
  }).catch((error: unknown) => {
    throw explain(error, refusals, options);
  });
  try {
    await work(server);
  } finally {
    await server.stop();
  }
  await syncCluster(workspace, binaries, user, signal);
}

async function copyBase(options: RecoverOptions, { folder, cluster }: Workspace): Promise<void> {
  const { binaries, user, signal, onStep } = options;
  onStep('copying the base backup');
  // Where the file system can, the copy shares the blocks.
  await cp(join(options.backup, CLUSTER_FOLDER), cluster, {
    recursive: true,
    mode: constants.COPYFILE_FICLONE,
  });
  await chmod(cluster, 0o700);
  writeFileSync(join(cluster, 'recovery.signal'), '', { mode: 0o600 });
  takeOver(cluster, user);
  signal.throwIfAborted();
  onStep('verifying the copy');
  const verify = requireTool(binaries, 'pg_verifybackup', 'restore a base backup');
  const verified = await runTool([verify, '--exit-on-error', '--quiet', cluster], {
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', ...binaries.env },
    identity: user,
    signal,
  });
  signal.throwIfAborted();
  if (verified.failed) {
    throw new Failure(`cannot use the base backup: ${verified.stderr.trim().split('\n')[0] ?? ''}`, {
      remedy: 'go back from an older one: bulkhead backup list; nothing has changed',
    });
  }
  rmSync(join(cluster, 'backup_manifest'), { force: true });
  writeFileSync(join(folder, 'needed'), options.needed.map((name) => `${name}\n`).join(''));
  const script = fetchScript({ archive: options.archive, needed: join(folder, 'needed') });
  writeFileSync(join(folder, 'fetch-wal'), script);
}

function recoverySettings(
  { timeline, target, settings }: RecoverOptions,
  { folder }: Workspace,
): Readonly<Record<string, string>> {
  return {
    ...settings,
    restore_command: `exec sh ${quoteCommandPath(join(folder, 'fetch-wal'))} "%f" "%p"`,
    // A number, never `latest`: nothing that was begun meanwhile is followed.
    recovery_target_timeline: String(timeline),
    recovery_target_action: 'promote',
    ...(target === undefined ? {} : { recovery_target_time: target }),
    // What it writes itself can be replayed later, and nobody looks in before the end.
    wal_level: 'replica',
    full_page_writes: 'on',
    hot_standby: 'off',
  };
}

function explain(error: unknown, refusals: readonly string[], { target }: RecoverOptions): unknown {
  if (!(error instanceof Failure)) return error;
  const [refusal] = refusals;
  const nothing = 'nothing has changed';
  if (refusal !== undefined) {
    return new Failure(`cannot recover: ${refusal}`, {
      remedy: `go back to a moment before it, or from a newer base backup: bulkhead backup list; ${nothing}`,
      exitCode: CommandExit.refused,
    });
  }
  if (error.message.includes(TOO_SHORT)) {
    return new Failure(`cannot go back to ${target}: the archived log has no transaction after it`, {
      remedy: `go to its end: bulkhead backup restore --to-latest; ${nothing}`,
      exitCode: CommandExit.refused,
    });
  }
  return new Failure(`cannot recover: ${error.message}`, { remedy: nothing, cause: error });
}
