/**
 * What PID 1 gives up for all it starts. Capabilities belong to a thread, and Node starts children from its first one,
 * so a call here costs nothing at any spawn: the bounding set stays empty and `no_new_privs` on for every descendant.
 * Our own rights stay: root's exec alone would lose them, and PID 1 executes nothing. A child that may keep a right
 * gets it as an ambient capability, which needs no bounding set. capabilities(7), prctl(2).
 */
import { readFileSync } from 'node:fs';
import { Failure } from '../base/errors.ts';
import { capset, prctl } from './libc.ts';

/** In the kernel's order: the index is the number. linux/capability.h. */
const NAMES =
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'.split(
    ' ',
  );

const PR_CAPBSET_DROP = 24;
const PR_GET_SECUREBITS = 27;
const PR_SET_SECUREBITS = 28;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const AMBIENT_RAISE = 2;
const AMBIENT_CLEAR_ALL = 4;
/** A program of root gets no rights for being root's. */
const NOROOT = 1;
/** Changing the user takes no rights away. */
const NO_SETUID_FIXUP = 4;

let given = false;

/** Whether `giveUpPrivileges` was called: it cannot be taken back. */
export function hasGivenUp(): boolean {
  return given;
}

/**
 * From now on no child of ours can gain a right that is not handed to it by `withCapabilities`. Without CAP_SETPCAP
 * the bounding set stays as the container has it, where `no_new_privs` keeps everybody from using it.
 * @throws Failure where the kernel refuses `no_new_privs`.
 */
export function giveUpPrivileges(): void {
  if (given) return;
  const held = heldCapabilities();
  if (held.has('SETPCAP')) {
    // While the bounding set still holds them: ambient ones must be inheritable, and later nothing can be made so.
    setInheritable([...held]);
    for (let number = 0; number < 64 && prctl(PR_CAPBSET_DROP, number, 0, 0, 0) === 0; number += 1);
    prctl(PR_SET_SECUREBITS, prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) | NOROOT, 0, 0, 0);
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) !== 0) {
    throw new Failure('cannot set no_new_privs: the kernel refuses it', {
      exitCode: 13,
      remedy: 'run on Linux 3.5 or later, or give a service privileged: true',
    });
  }
  given = true;
}

/** The names of what we may do, without CAP_. */
export function heldCapabilities(): ReadonlySet<string> {
  const bits = BigInt(
    `0x${/^CapPrm:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/thread-self/status', 'latin1'))?.[1] ?? '0'}`,
  );
  return new Set(NAMES.filter((_, number) => (bits >> BigInt(number)) & 1n));
}

/** Starts something that keeps these rights, also where it is another user's. Must be synchronous. */
export function withCapabilities<T>(names: readonly string[], changesUser: boolean, start: () => T): T {
  if (names.length === 0) return start();
  if (!given) setInheritable([...heldCapabilities()]);
  const bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
  try {
    if (changesUser && prctl(PR_SET_SECUREBITS, bits | NO_SETUID_FIXUP, 0, 0, 0) !== 0) refuse(names);
    for (const name of names) {
      if (prctl(PR_CAP_AMBIENT, AMBIENT_RAISE, NAMES.indexOf(name), 0, 0) !== 0) refuse([name]);
    }
    return start();
  } finally {
    prctl(PR_CAP_AMBIENT, AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (changesUser) prctl(PR_SET_SECUREBITS, bits, 0, 0, 0);
    if (!given) setInheritable([]);
  }
}

function refuse(names: readonly string[]): never {
  throw new Failure(`cannot give it ${names.join(', ')}: the kernel refuses`, {
    code: 'no-capability',
    exitCode: 13,
    remedy: 'start the container with --cap-add SETPCAP, or leave out cap_add',
  });
}

function setInheritable(names: readonly string[]): void {
  const held = maskOf([...heldCapabilities()]);
  const wanted = maskOf(names);
  const words = (shift: bigint): number[] => [
    Number((held >> shift) & 0xffffffffn),
    Number((held >> shift) & 0xffffffffn),
    Number((wanted >> shift) & 0xffffffffn),
  ];
  // _LINUX_CAPABILITY_VERSION_3, this thread; effective, permitted, inheritable in two halves.
  capset(new Uint32Array([0x20080522, 0]), new Uint32Array([...words(0n), ...words(32n)]));
}

function maskOf(names: readonly string[]): bigint {
  return names.reduce((bits, name) => bits | (1n << BigInt(NAMES.indexOf(name))), 0n);
}
