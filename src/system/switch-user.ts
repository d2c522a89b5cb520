import { Failure } from '../base/errors.ts';
import { findProgram } from './program-path.ts';
import type { Identity } from './users.ts';

export interface SwitchedCommand {
  readonly argv: readonly string[];
  readonly ids: { readonly uid?: number; readonly gid?: number };
}

let setpriv: string | undefined;

/**
 * How a command is started as another user. libuv can set uid and gid, but clears the supplementary groups; where
 * there are some, util-linux's setpriv becomes the user and then the program, in the same process.
 */
export function becomeUser(
  argv: readonly string[],
  identity: Pick<Identity, 'uid' | 'gid' | 'groups'> | undefined,
  path: string | undefined,
  cwd: string,
): SwitchedCommand {
  if (!identity || isOurselves(identity)) return { argv, ids: {} };
  const { uid, gid, groups } = identity;
  if (groups.length === 0) return { argv, ids: { uid, gid } };
  setpriv ??= findProgram('setpriv');
  if (setpriv === undefined) {
    throw new Failure('cannot give the user its supplementary groups: there is no setpriv in this image', {
      code: 'ENOENT',
      remedy: 'Install util-linux, or write the user as "name:group".',
    });
  }
  const [program = ''] = argv;
  // setpriv itself would start, and then end with a code of its own.
  if (findProgram(program, path, cwd) === undefined) {
    throw Object.assign(new Error(`spawn ${program} ENOENT`), { code: 'ENOENT' });
  }
  const options = [`--reuid=${uid}`, `--regid=${gid}`, `--groups=${[gid, ...groups].join(',')}`];
  return { argv: [setpriv, ...options, '--', ...argv], ids: {} };
}

function isOurselves(identity: Pick<Identity, 'uid' | 'gid' | 'groups'>): boolean {
  if (identity.uid !== process.geteuid?.() || identity.gid !== process.getegid?.()) return false;
  const ours = new Set(process.getgroups?.());
  return identity.groups.every((group) => ours.has(group));
}
