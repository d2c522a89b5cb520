// The calls of the C library that Node does not offer.
import koffi from 'koffi';

// The running program: whichever C library Node itself is linked with.
const library = koffi.load(null);

/** prctl(2) */
export const prctl: (option: number, value: number, a: number, b: number, c: number) => number = library.func(
  'int prctl(int option, long value, long a, long b, long c)',
);

/** fcntl(2) */
export const fcntl: (fd: number, command: number, value: number) => number = library.func(
  'int fcntl(int fd, int command, int value)',
);

// Landlock's calls have no names in the C library; syscall(2).

/** landlock_create_ruleset(2) */
export const createRuleset: (
  number: number,
  attributes: Buffer | null,
  size: number,
  flags: number,
) => number = library.func('long syscall(long number, void *attributes, long size, long flags)');

/** landlock_add_rule(2) */
export const addRule: (number: number, ruleset: number, type: number, rule: Buffer, flags: number) => number =
  library.func('long syscall(long number, long ruleset, long type, void *rule, long flags)');

/** landlock_restrict_self(2) */
export const restrict: (number: number, ruleset: number, flags: number) => number = library.func(
  'long syscall(long number, long ruleset, long flags)',
);
