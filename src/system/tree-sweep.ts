import treeKill from 'tree-kill';
import { findProgram } from './program-path.ts';

/**
 * A second opinion on what still lives below a process: tree-kill asks `ps`, not our walk through /proc. It sees no
 * more than we do where /proc can be read, and it cannot see what was given to another parent. So it comes last, and
 * where the image has no `ps` not at all: tree-kill would end the process by an unheard error.
 * The failure of a later `ps` is heard by `registerChildren`. Returns at once.
 */
export function sweepTree(pid: number): void {
  if (findProgram('ps', process.env.PATH) === undefined) return;
  treeKill(pid, 'SIGKILL', () => undefined);
}
