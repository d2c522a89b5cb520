#!/usr/bin/env node
/** The front door: argv in, exit code out. It opens one room, lazily, and is the only place that ends the process. */
import module from 'node:module';
import { RUN_DIR } from './protocol/socket-path.ts';

/** What refusing to start ends with, protocol/exit-codes.ts. */
const CANNOT_START = 13;

// Before anything else is loaded, and with nothing an old Node cannot parse: it shall read a sentence, not a SyntaxError.
refuseOldNode(22, 18);

// Beside the bundle, not under a home that may not exist; where it cannot be written it is only read.
module.enableCompileCache(process.env.NODE_COMPILE_CACHE ?? `${import.meta.dirname}/cache`);

const [command, name] = process.argv.slice(2);
process.exit(command === 'program' ? await runOwnProgram(name ?? '') : await runCommand());

function refuseOldNode(major: number, minor: number): void {
  const [haveMajor = 0, haveMinor = 0] = process.versions.node.split('.').map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  process.stderr.write(
    `error: cannot run on Node ${process.versions.node}: it is too old, Bulkhead needs ${major}.${minor} or newer\n` +
      'fix: in a checkout npm has brought a newer one: npx bulkhead …\n',
  );
  process.exit(CANNOT_START);
}

async function runOwnProgram(program: string): Promise<number> {
  const programs = await import('./programs.ts');
  return programs.runOwnProgram(program);
}

async function runCommand(): Promise<number> {
  const { runCli } = await import('./cli/cli.ts');
  return runCli(process.argv.slice(2), {
    up: async (options) => (await import('./supervisor/up.ts')).runUp(options),
    psql: async ({ database, dataDir, args }) => {
      const { psqlInvocation } = await import('./database/psql.ts');
      return psqlInvocation(dataDir, database, RUN_DIR, args);
    },
    backups: async (dataDir) => (await import('./backups/list-backups.ts')).listBackups(`${dataDir}/backups`),
    outlook: async (dataDir) => (await import('./postgres/cluster-outlook.ts')).readOutlook(dataDir),
    moments: async (dataDir) => (await import('./backups/moments.ts')).readMoments(dataDir),
    alone: async (options) => (await import('./supervisor/alone.ts')).openAlone(options),
    externalDatabase: async (database) => {
      const { examineExternal } = await import('./database/examine-external.ts');
      return examineExternal(database);
    },
    examineData: async (dataDir, isRunning) => {
      const { examineData } = await import('./database/examine-data.ts');
      return examineData(dataDir, RUN_DIR, isRunning);
    },
    bundle: async () => {
      const { createBundle, hasSecrets } = await import('./bundles/create-bundle.ts');
      return { create: createBundle, hasSecrets };
    },
    postgres: async () => {
      const { findBinaries } = await import('./postgres/binaries.ts');
      return findBinaries({ major: undefined, libraryDir: `${RUN_DIR}/pg/lib` });
    },
  });
}
