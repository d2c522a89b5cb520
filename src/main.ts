#!/usr/bin/env node
/** The front door: argv in, exit code out. It opens one room, lazily, and is the only place that ends the process. */
import { enableCompileCache } from 'node:module';
import { RUN_DIR } from './protocol/socket-path.ts';

// Beside the bundle, not under a home that may not exist; where it cannot be written it is only read.
enableCompileCache(process.env.NODE_COMPILE_CACHE ?? `${import.meta.dirname}/cache`);

const [command, name] = process.argv.slice(2);
process.exit(command === 'program' ? await runOwnProgram(name ?? '') : await runCommand());

async function runOwnProgram(program: string): Promise<number> {
  const { runProgram } = await import('./database/programs.ts');
  return runProgram(program);
}

async function runCommand(): Promise<number> {
  const { runCli } = await import('./cli/cli.ts');
  return runCli(process.argv.slice(2), {
    up: async (options) => (await import('./supervisor/up.ts')).runUp(options),
    psql: async ({ database, dataDir, args }) => {
      const { psqlInvocation } = await import('./database/psql.ts');
      return psqlInvocation(dataDir, database, RUN_DIR, args);
    },
    postgres: async () => {
      const { findBinaries } = await import('./database/postgres-binaries.ts');
      return findBinaries({ major: undefined, libraryDir: `${RUN_DIR}/pg/lib` });
    },
  });
}
