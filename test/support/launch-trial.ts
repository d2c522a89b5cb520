/** What real processes are started with, without a supervisor: a source that knows nothing, and logs that are heard. */
import type { LaunchSource } from '../../src/supervisor/launch-source.ts';
import { type Logs, openLogs } from '../../src/supervisor/logs/logs.ts';
import { currentIdentity, findIdentity } from '../../src/system/users.ts';
import { realClock } from './clock.ts';

/** @param folder of its files */
export function fakeLaunchSource(folder: string): LaunchSource {
  return {
    database: undefined,
    backups: undefined,
    jobs: undefined,
    api: undefined,
    token: () => undefined,
    commandEnvironment: () => ({}),
    dataDir: folder,
    runDir: folder,
    oomScoreAdj: 0,
    isolated: false,
    inherited: process.env,
    readFile: () => undefined,
    readSecret: () => undefined,
    ensureSecret: () => 'secret',
    claimOomKill: () => false,
    openMemoryGroup: () => undefined,
    currentUser: currentIdentity,
    findUser: findIdentity,
    programArgv: () => [process.execPath],
    giveFolder: () => undefined,
  };
}

/** `output` is what standard output shows; no files are written. */
export function listeningLogs(): { readonly output: string[]; readonly logs: Logs } {
  const output: string[] = [];
  const logs = openLogs({
    clock: realClock,
    output: {
      isTerminal: false,
      isDiscarded: false,
      write: (bytes, done) => {
        output.push(...Buffer.from(bytes).toString('utf8').trimEnd().split('\n'));
        done(undefined);
      },
    },
    openFile: () => ({
      append: (bytes, _day, done) => done(undefined, bytes.length),
      release: async () => undefined,
    }),
    level: 'info',
    format: 'text',
    colour: false,
    services: [],
    pid: process.pid,
  });
  return { output, logs };
}
