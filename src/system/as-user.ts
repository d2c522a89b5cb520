/**
 * Starts something as another user. Users belong to a thread in Linux, and a child begins as the thread that starts it:
 * so this thread becomes that user for the moment of the spawn, and comes back by the saved ids, which the kernel keeps
 * for that. The C library would make all threads follow, so the kernel is called directly. setresuid(2), credentials(7)
 */
import { declare } from './libc.ts';

/** By the kernel's tables: the calls' numbers differ from one kind of machine to another. */
const CALLS: Readonly<Record<string, { setresuid: number; setresgid: number; setgroups: number }>> = {
  x64: { setresuid: 117, setresgid: 119, setgroups: 116 },
  arm64: { setresuid: 147, setresgid: 149, setgroups: 159 },
};
const AS_IT_IS = -1;

const syscall = declare('long syscall(long number, long a, void *list, long c)');
const plainSyscall = declare('long syscall(long number, long a, long b, long c)');

const calls = CALLS[process.arch];

export const canStartAsUser = calls !== undefined;

/**
 * `start` must be synchronous and nothing but the spawn. Supplementary groups are left behind.
 * @throws Error with code EPERM where the kernel lets us not.
 */
export function asUser<T>(uid: number, gid: number, start: () => T): T {
  if (calls === undefined) throw refusal();
  const own = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  const groups = new Uint32Array(process.getgroups?.() ?? []);
  const { setgroups, setresgid, setresuid } = calls;
  if (syscall(setgroups, 0, null, 0) !== 0) throw refusal();
  try {
    if (plainSyscall(setresgid, gid, gid, AS_IT_IS) !== 0) throw refusal();
    if (plainSyscall(setresuid, uid, uid, AS_IT_IS) !== 0) throw refusal();
    return start();
  } finally {
    // The saved ids are still ours, so this cannot be refused; were it, nothing here could be trusted any more.
    if (
      plainSyscall(setresuid, own.uid, own.uid, AS_IT_IS) !== 0 ||
      plainSyscall(setresgid, own.gid, own.gid, AS_IT_IS) !== 0 ||
      syscall(setgroups, groups.length, groups, 0) !== 0
    ) {
      process.abort();
    }
  }
}

function refusal(): Error {
  return Object.assign(new Error('spawn EPERM: cannot become that user'), { code: 'EPERM' });
}
