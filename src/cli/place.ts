import { lstatSync, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { socketCandidates } from '../protocol/socket-path.ts';
import type { Place } from './client.ts';

export interface Where {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly uid: number;
  /** `--data` */
  readonly data: string | undefined;
  /** `--socket` */
  readonly socket: string | undefined;
}

/** The volume of the image. */
const DEFAULT_DATA = '/data';

/**
 * Where the supervisor may be reached. A volume that was named (--data, BULKHEAD_DATA), or that `npm start` left in
 * this folder (./.data), is meant and no other; else whoever answers under /run or beside /data.
 */
export function findPlace(where: Where): Place {
  if (where.socket !== undefined) return { paths: [resolve(where.cwd, where.socket)], volumes: [] };
  const named = where.data ?? (where.env.BULKHEAD_DATA || undefined) ?? localData(where.cwd);
  const data = resolve(where.cwd, named ?? DEFAULT_DATA);
  const uids = new Set([where.uid, ownerOf(`${data}/bulkhead`) ?? where.uid, 0]);
  const paths = new Set([...uids].flatMap((uid) => socketCandidates(data, uid)));
  const trusted = [...paths].filter((path) => !path.startsWith('/tmp/') || isTrusted(path, uids));
  return { paths: trusted, volumes: named === undefined ? [] : [...new Set([data, realPathOf(data)])] };
}

/** The volume that commands speak of when no supervisor is asked: `doctor`, `config check`. */
export function findDataDir(where: Pick<Where, 'env' | 'cwd' | 'data'>): string {
  return resolve(
    where.cwd,
    where.data ?? (where.env.BULKHEAD_DATA || undefined) ?? localData(where.cwd) ?? DEFAULT_DATA,
  );
}

/** What `npm start` left in this folder. */
export function localData(cwd: string): string | undefined {
  return ownerOf(`${cwd}/.data/bulkhead`) === undefined ? undefined : `${cwd}/.data`;
}

function ownerOf(path: string): number | undefined {
  try {
    return statSync(path).uid;
  } catch {
    return undefined;
  }
}

/** Anyone may make a file in /tmp: a socket there is believed only when we, root or the volume's owner made it. */
function isTrusted(path: string, uids: ReadonlySet<number>): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found === undefined ? false : uids.has(found.uid);
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
