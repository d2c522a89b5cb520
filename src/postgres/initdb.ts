/** Makes a cluster: in a stage beside its place, then renamed there, so that a folder of that name is always whole. */
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../base/errors.ts';
import { runTool } from '../system/commands.ts';
import type { Identity } from '../system/users.ts';
import { syncFolder } from '../system/write-file-atomic.ts';
import type { PostgresBinaries } from './binaries.ts';
import { type Layout, SUPERUSER } from './layout.ts';
import { nameOurselves } from './nss-wrapper.ts';
import { STAGE } from './stages.ts';
import { canUsePeer } from './system-user.ts';

export interface InitOptions {
  readonly layout: Layout;
  readonly binaries: PostgresBinaries;
  readonly user: Identity;
  /** Only where peer authentication cannot be. */
  readonly superuserPassword: string | undefined;
  readonly signal: AbortSignal;
}

/** Returns the folder of the new cluster, `<pg>/<major>/main`. */
export async function initCluster(options: InitOptions): Promise<string> {
  const { layout, binaries, user } = options;
  const stage = join(layout.pg, `${STAGE}init-${randomBytes(4).toString('hex')}`);
  const data = join(stage, 'main');
  makeOwned(stage, user);
  await runInitdb({ ...options, stage, data });
  const place = join(layout.pg, String(binaries.major));
  if (!existsSync(place)) makeOwned(place, user);
  renameSync(data, join(place, 'main'));
  syncFolder(place);
  syncFolder(layout.pg);
  rmSync(stage, { recursive: true, force: true });
  return join(place, 'main');
}

export interface InitdbOptions extends Omit<InitOptions, 'layout'> {
  /** A private folder of the database's user, for files that live as long as the tool. */
  readonly stage: string;
  /** The folder of the cluster, not there yet. */
  readonly data: string;
  /** Beat ours, e.g. `--wal-segsize=64`. */
  readonly more?: readonly string[];
  /** Encoding and locale instead of ours. */
  readonly locale?: readonly string[] | undefined;
}

/** Fills `data` with a new cluster whose superuser is ours. Throws a Failure that says what initdb said. */
export async function runInitdb(options: InitdbOptions): Promise<void> {
  const { binaries, user, stage, data } = options;
  const passwordFile = join(stage, 'password');
  const peer = canUsePeer(user);
  if (!peer) writeFileSync(passwordFile, `${options.superuserPassword ?? ''}\n`, { mode: 0o600 });
  const argv = [
    join(binaries.bin, 'initdb'),
    '--pgdata',
    data,
    '--username',
    SUPERUSER,
    `--auth-local=${peer ? 'peer' : 'scram-sha-256'}`,
    '--auth-host=scram-sha-256',
    '--data-checksums',
    ...(options.locale ?? ourLocale(binaries.major)),
    ...(peer ? [] : [`--pwfile=${passwordFile}`]),
    ...(options.more ?? []),
  ];
  const result = await runTool(argv, {
    env: { PATH: process.env.PATH ?? '', TZ: 'UTC', ...binaries.env, ...nameOurselves(user, stage) },
    identity: user,
    signal: options.signal,
  });
  rmSync(passwordFile, { force: true });
  if (!result.failed) return;
  throw new Failure(`cannot create the database cluster: ${lastLines(result.stderr)}`, {
    remedy: initRemedy(result.stderr),
  });
}

/** Never the environment's: slim images have none but this one, and no C library can change its order. */
function ourLocale(major: number): readonly string[] {
  const provider = major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : [];
  return ['--encoding=UTF8', '--locale=C.UTF-8', ...provider];
}

/** A folder of mode 0700 that is the user's. */
export function makeOwned(path: string, user: Identity): void {
  mkdirSync(path, { mode: 0o700 });
  chmodSync(path, 0o700);
  if (process.geteuid?.() === 0) chownSync(path, user.uid, user.gid);
}

function initRemedy(stderr: string): string {
  if (/No space left/i.test(stderr)) return 'free space on the volume, then start again';
  if (/user does not exist|effective user ID/i.test(stderr)) {
    return 'install the package libnss-wrapper, or give this uid an entry in /etc/passwd';
  }
  return 'the lines above are what initdb says; nothing was left behind, so starting again is safe';
}

function lastLines(text: string): string {
  const lines = text
    .trim()
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.slice(-3).join('; ') || 'initdb said nothing';
}
