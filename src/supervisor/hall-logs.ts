/** The logs room in the real world: our standard output, beside what shows the boot, and files on the volume. */
import type { Plan } from '../config/plan.ts';
import { AppendFile } from '../system/append-file.ts';
import { systemClock } from '../system/clock.ts';
import { readRotatedEnd } from '../system/read-end.ts';
import { openStandardOutput } from '../system/standard-output.ts';
import { type Logs, OWN_NAME, openLogs } from './logs/logs.ts';
import type { BootObserver } from './up.ts';

export function openHallLogs(plan: Plan, view: BootObserver): Logs {
  const output = openStandardOutput();
  const logFile = (service: string): string => `${plan.dataDir}/logs/${service}.log`;
  return openLogs({
    clock: systemClock,
    output: {
      isTerminal: output.isTerminal,
      isDiscarded: output.isDiscarded,
      write: (bytes, done) => view.around(() => output.write(bytes, done)),
    },
    openFile: (service) => new AppendFile(logFile(service)),
    readEnd: (service, bytes) => readRotatedEnd(logFile(service), bytes),
    level: plan.log.level,
    format: plan.log.format,
    colour: (process.env.NO_COLOR ?? '') === '',
    services: [OWN_NAME, ...plan.runs.map(({ name }) => name)],
    pid: process.pid,
  });
}
