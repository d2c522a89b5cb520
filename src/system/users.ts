/** Who a child runs as. Read from /etc/passwd and /etc/group: what names a container's users, without the C library. */
import { readFileSync, statSync } from 'node:fs';
import { Failure } from '../base/errors.ts';

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, without `gid`. */
  readonly groups: readonly number[];
  /** The login name, or the uid as text where passwd does not know it. */
  readonly name: string;
  readonly home: string;
  readonly shell: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const CANNOT_START = 13;

/**
 * Finds `name`, `uid`, `name:group`, `uid:gid` as Docker's `--user` means them: a group that is named replaces the
 * user's own groups, all of them. A number needs no passwd entry.
 * @throws Failure with exit code 13 for a name nobody knows.
 */
export function findIdentity(user: string): Identity {
  const [userPart = '', groupPart] = user.split(':', 2);
  const users = readPasswd();
  const entry =
    users.find(({ name }) => name === userPart) ??
    (isNumber(userPart) ? users.find(({ uid }) => uid === Number(userPart)) : undefined);
  if (!entry && !isNumber(userPart)) {
    throw new Failure(`cannot find user "${userPart}": /etc/passwd does not know it`, {
      code: 'unknown-user',
      exitCode: CANNOT_START,
      remedy: 'create the user in the image, or name another',
    });
  }
  const name = entry?.name ?? userPart;
  const gid = groupPart === undefined || groupPart === '' ? (entry?.gid ?? 0) : findGroup(groupPart);
  const groups =
    entry && (groupPart === undefined || groupPart === '')
      ? readGroups()
          .filter((group) => group.members.includes(name) && group.gid !== gid)
          .map((group) => group.gid)
      : [];
  return {
    uid: entry?.uid ?? Number(userPart),
    gid,
    groups: [...new Set(groups)].sort((a, b) => a - b),
    name,
    home: entry?.home ?? '/',
    shell: entry?.shell ?? '/bin/sh',
  };
}

/** Who this process is. */
export function currentIdentity(): Identity {
  const uid = process.geteuid?.() ?? 0;
  const gid = process.getegid?.() ?? 0;
  const entry = readPasswd().find((each) => each.uid === uid);
  return {
    uid,
    gid,
    groups: (process.getgroups?.() ?? []).filter((group) => group !== gid),
    name: entry?.name ?? String(uid),
    home: entry?.home ?? process.env.HOME ?? '/',
    shell: entry?.shell ?? '/bin/sh',
  };
}

function findGroup(group: string): number {
  const entry = readGroups().find(({ name }) => name === group);
  if (entry) return entry.gid;
  if (isNumber(group)) return Number(group);
  throw new Failure(`cannot find group "${group}": /etc/group does not know it`, {
    code: 'unknown-group',
    exitCode: CANNOT_START,
    remedy: 'create the group in the image, or name another',
  });
}

const readPasswd = cachedTable(
  '/etc/passwd',
  ([name = '', , uid, gid, , home = '/', shell = '']): PasswdEntry => {
    return { name, uid: Number(uid), gid: Number(gid), home, shell: shell || '/bin/sh' };
  },
);

const readGroups = cachedTable('/etc/group', ([name = '', , gid, members = '']): GroupEntry => {
  return { name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') };
});

/** Services restart often, these files change almost never. A missing file is an empty one. */
function cachedTable<T>(path: string, parse: (fields: string[]) => T): () => readonly T[] {
  let stamp = '';
  let rows: readonly T[] = [];
  return () => {
    let now: string;
    try {
      const { mtimeMs, ino, size } = statSync(path);
      now = `${mtimeMs} ${ino} ${size}`;
      if (now === stamp) return rows;
      rows = readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => parse(line.split(':')));
    } catch {
      now = '';
      rows = [];
    }
    stamp = now;
    return rows;
  };
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}

/** Gives up root for good; nothing where we are somebody else already. */
export function becomeUser(user: Pick<Identity, 'uid' | 'gid' | 'groups'>): void {
  if (process.geteuid?.() !== 0) return;
  process.setgroups?.([...user.groups]);
  process.setgid?.(user.gid);
  process.setuid?.(user.uid);
}
