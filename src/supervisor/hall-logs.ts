/** The logs room in the real world: our standard output, beside what shows the boot, and files on the volume. */
import type { Plan } from '../config/plan.ts';
import type { TaskPlan } from '../config/plan-runs.ts';
import { OWN_NAME } from '../protocol/stored-line.ts';
import { systemClock } from '../system/clock.ts';
import { DatedFile } from '../system/dated-file.ts';
import { LogFolder, listLogNames, readNewestEnds } from '../system/log-folder.ts';
import { ProcessorWaits } from '../system/processor-waits.ts';
import { openStandardOutput } from '../system/standard-output.ts';
import type { BootObserver } from './boot-observer.ts';
import type { Companions } from './companions.ts';
import { publicNames, secretParts } from './known-secrets.ts';
import { LogCare } from './logs/care.ts';
import { type Logs, openLogs } from './logs/logs.ts';
import type { FileEvent, LogFile, RestraintEvent } from './logs/ports.ts';
import { Redactor } from './logs/redactor.ts';

export interface HallLogs {
  readonly logs: Logs;
  /** From now on no line shows these. */
  learn(secrets: Iterable<string>): void;
  /** @param companions who run the program that does it */
  openCare(companions: Companions, held: () => ReadonlySet<string>): LogCare;
}

/**
 * @param plan the plan in force: a reload may have changed it
 * @param told.restrained a service is too loud, or no longer is
 * @param told.fileTold a log file cannot be written, or can be again
 */
export function openHallLogs(
  plan: () => Plan,
  view: BootObserver,
  told: { restrained(event: RestraintEvent): void; fileTold(event: FileEvent): void },
): HallLogs {
  const output = openStandardOutput();
  const first = plan();
  const folder = new LogFolder(`${first.dataDir}/logs`, () => plan().logs.maxFile);
  const redactor = new Redactor((value) => publicNames(plan()).has(value));
  const services = (): readonly string[] => [
    OWN_NAME,
    ...plan().runs.map(({ name }) => name),
    ...plan().schedules.map(({ name }) => name),
  ];
  const logs = openLogs({
    clock: systemClock,
    output: {
      isTerminal: output.isTerminal,
      isDiscarded: output.isDiscarded,
      write: (bytes, done) => view.around(() => output.write(bytes, done)),
    },
    openFile: (service) => (first.logs.files ? new DatedFile(folder, service) : NO_FILE),
    openEnds: () => {
      const names = listLogNames(folder.path);
      return (service, bytes) => readNewestEnds(folder.path, names.get(service) ?? [], bytes);
    },
    level: first.log.level,
    format: first.log.format,
    colour: (process.env.NO_COLOR ?? '') === '',
    services: [OWN_NAME, ...first.runs.map(({ name }) => name)],
    redactor,
    waits: new ProcessorWaits(() => systemClock.mono()),
    hasFiles: first.logs.files,
    ...told,
    pid: process.pid,
  });
  return {
    logs,
    learn: (secrets) => redactor.learn([...secrets].flatMap(secretParts)),
    openCare: (companions, held) =>
      new LogCare({
        clock: systemClock,
        folder,
        limits: () => ({ ...plan().logs, files: first.logs.files }),
        services,
        say: (level, msg) => logs.own(level, msg),
        run: async (work) => {
          const input = { work: JSON.stringify(work) };
          const never = new AbortController().signal;
          const ended = await companions.program(
            careRun(held()),
            'compress-logs',
            input,
            () => undefined,
            never,
          );
          return ended === 0;
        },
      }),
  };
}

/** `logs: { files: false }` */
const NO_FILE: LogFile = {
  append: (bytes, _day, done) => queueMicrotask(() => done(undefined, bytes.length)),
  release: async () => undefined,
};

const RIGHTS = ['DAC_OVERRIDE', 'CHOWN', 'FOWNER'] as const;

/** As whoever writes the files, which is us, with the rights over files we have, after everything else that runs. */
function careRun(held: ReadonlySet<string>): TaskPlan {
  return {
    kind: 'task',
    name: 'compress-logs',
    work: { kind: 'program', program: 'compress-logs' },
    workingDir: undefined,
    user: undefined,
    environment: {},
    envFiles: [],
    dependsOn: {},
    stop: { rungs: [{ signal: 'SIGTERM', wait: 1000 }], target: 'leader', reserve: 0 },
    critical: false,
    nice: 19,
    oomScoreAdj: undefined,
    confinement: {
      umask: 0o027,
      ulimits: {},
      capabilities: RIGHTS.filter((right) => held.has(right)),
      privileged: false,
    },
    startTimeout: undefined,
    retries: 0,
  };
}
