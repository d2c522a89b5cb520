/** Rooms that the command line needs and does not import, each opened when a command asks for it. */
import type { Doors } from './cli/command.ts';
import { RUN_DIR } from './protocol/socket-path.ts';

/** All but `up`: that one is the front door's alone. */
export const DOORS: Doors = {
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
};
