#!/usr/bin/env node
/** The front door: argv in, exit code out. It opens one room, lazily, and is the only place that ends the process. */
import module from 'node:module';

/** What refusing to start ends with, protocol/exit-codes.ts. */
const CANNOT_START = 13;

// Before anything else is loaded, and with nothing an old Node cannot parse: it shall read a sentence, not a SyntaxError.
refuseOldNode(22, 18);

// Beside the bundle, not under a home that may not exist; where it cannot be written it is only read.
module.enableCompileCache(process.env.NODE_COMPILE_CACHE ?? `${import.meta.dirname}/cache`);

const [command, name] = process.argv.slice(2);
process.exit(await open(command));

function refuseOldNode(major: number, minor: number): void {
  const [haveMajor = 0, haveMinor = 0] = process.versions.node.split('.').map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  process.stderr.write(
    `error: cannot run on Node ${process.versions.node}: it is too old, Bulkhead needs ${major}.${minor} or newer\n` +
      'fix: in a checkout npm has brought a newer one: npx bulkhead …\n',
  );
  process.exit(CANNOT_START);
}

async function open(room: string | undefined): Promise<number> {
  const argv = process.argv.slice(2);
  if (room === 'program') return (await import('./programs.ts')).runOwnProgram(name ?? '');
  if (room === 'up') return (await import('./pid-one.ts')).runPidOne(argv);
  const [{ runCli }, { DOORS }] = await Promise.all([import('./cli/cli.ts'), import('./doors.ts')]);
  // An option may stand before the command.
  return runCli(argv, {
    ...DOORS,
    up: async (options) => (await import('./supervisor/up.ts')).runUp(options),
  });
}
