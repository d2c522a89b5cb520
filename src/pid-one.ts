/**
 * `bulkhead up`, which is PID 1: the one command whose code is known before it is asked for. Built into one file of its
 * own (scripts/build.mjs), because sixty small ones are looked up, read and linked one by one: a seventh of its start.
 */
import { flushCompileCache } from 'node:module';
import { runCli } from './cli/cli.ts';
import { DOORS } from './doors.ts';
import { runUp } from './supervisor/up.ts';
import { endAtOnce } from './system/libc.ts';

/**
 * Ends the process by itself, with the exit code of protocol/exit-codes.ts; returns it only where it could not.
 * @param argv without node and script
 */
export async function runPidOne(argv: readonly string[]): Promise<number> {
  const code = await runCli(argv, { ...DOORS, up: runUp });
  try {
    // As Node's own end does: what was compiled is there for the next start.
    flushCompileCache();
    // A stop must not hang at its very end, with everything stopped already.
    endAtOnce(code);
  } catch {
    // No C library that we can call.
  }
  return code;
}
