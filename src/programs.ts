/** Our child programs, by the name PID 1 starts them with; each loads its own room alone. */
import type { ProgramName } from './config/plan-runs.ts';
import type { Job } from './program/job.ts';
import { runProgram } from './program/run-program.ts';

const PROGRAMS: Readonly<Record<ProgramName, () => Promise<(job: Job) => Promise<void>>>> = {
  api: async () => (await import('./api/run-api.ts')).runApi,
  cluster: async () => {
    const { runCluster } = await import('./database/cluster.ts');
    // Only here: nearly every start has nothing of the kind to do.
    return (job) =>
      runCluster(
        job,
        async (...asked) => (await import('./operations/upgrade.ts')).doUpgrade(...asked),
        async (...found) => (await import('./operations/move-in.ts')).openMoveIn(...found),
      );
  },
  database: async () => (await import('./database/server.ts')).becomeServer,
  'external-database': async () => (await import('./database/external-database.ts')).holdExternalDatabase,
  setup: async () => {
    const { runSetup } = await import('./database/setup.ts');
    // Only here: nearly every start has no other migration than the one before.
    return (job) =>
      runSetup(job, async (asked) => (await import('./operations/safety-dump.ts')).makeSafetyDump(asked));
  },
  migrate: async () => (await import('./database/migration.ts')).runMigration,
  import: async () => (await import('./database/import.ts')).runImport,
  backup: async () => (await import('./backups/run-backup.ts')).runBackup,
  'verify-backups': async () => alsoAlone((await import('./backups/verify-backups.ts')).runVerifyBackups),
  'prune-backups': async () => (await import('./backups/prune-backups.ts')).runPruneBackups,
  'pin-backup': async () => (await import('./backups/pin-backup.ts')).runPinBackup,
  'database-status': async () => (await import('./database/database-status.ts')).runDatabaseStatus,
  'check-database': async () => (await import('./database/check-database.ts')).runCheckDatabase,
  upgrade: async () => (await import('./operations/upgrade.ts')).runUpgrade,
  rollback: async () => (await import('./operations/rollback.ts')).runRollback,
  'fetch-backup': async () => alsoAlone((await import('./backups/fetch-backup.ts')).runFetchBackup),
  'unpack-backup': async () => (await import('./backups/unpack-backup.ts')).runUnpackBackup,
  restore: async () => (await import('./operations/restore.ts')).runRestore,
  'restore-files': async () => (await import('./operations/restore-files.ts')).runRestoreFiles,
  adopt: async () => (await import('./operations/adopt.ts')).runAdopt,
  measure: async () => (await import('./operations/measure.ts')).runMeasure,
  'compress-logs': async () => (await import('./logkeeping/compress-logs.ts')).runCompressLogs,
  // The command line itself, for the API: what several programs do together is written there once.
  command: async () => {
    const [{ runAskedCommand }, { DOORS }] = await Promise.all([
      import('./cli/asked-command.ts'),
      import('./doors.ts'),
    ]);
    return (job) => runAskedCommand(job, DOORS);
  },
  worker: async () => (await import('./jobs/worker/run-worker.ts')).runWorker,
  'point-in-time': async () => (await import('./operations/point-in-time.ts')).runPointInTime,
};

async function alsoAlone(program: (job: Job) => Promise<void>): Promise<(job: Job) => Promise<void>> {
  return (await import('./operations/prepare-volume.ts')).alsoAlone(program);
}

/** Runs the program of this name; resolves with its exit code. */
export function runOwnProgram(name: string): Promise<number> {
  return runProgram(name, (wanted) => (isProgram(wanted) ? PROGRAMS[wanted] : undefined));
}

function isProgram(name: string): name is ProgramName {
  return Object.hasOwn(PROGRAMS, name);
}
