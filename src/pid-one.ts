/**
 * `bulkhead up`, which is PID 1: the one command whose code is known before it is asked for. Built into one file of its
 * own (scripts/build.mjs), because sixty small ones are looked up, read and linked one by one: a seventh of its start.
 */
import { runCli } from './cli/cli.ts';
import { DOORS } from './doors.ts';
import { runUp } from './supervisor/up.ts';

/** @param argv without node and script @returns the exit code, protocol/exit-codes.ts */
export function runPidOne(argv: readonly string[]): Promise<number> {
  return runCli(argv, { ...DOORS, up: runUp });
}
