/** How each rule of the table finds what it is about. Pure. */
import { formatDuration } from '../base/duration.ts';
import { ALERT_RULES, type AlertRule, type RuleName } from '../config/alert-rules.ts';
import { describeStore } from '../protocol/jobs-words.ts';
import { type ServiceStatus, STANDARD_OUTPUT } from '../protocol/status.ts';
import type { Facts } from './facts.ts';
import type { Measurement } from './machine.ts';
import { isFailing } from './telling.ts';

/** Undefined: it cannot be judged now. */
type Measure = (
  facts: Facts,
  compare: (value: number) => Measurement['is'],
) => readonly Measurement[] | undefined;

const MEASURES: Readonly<Record<RuleName, Measure>> = {
  ServiceDown: (facts) => down(facts, true),
  OptionalServiceDown: (facts) => down(facts, false),
  CrashLoop: ({ product, ends, now }, compare) =>
    product?.services
      .filter(({ kind }) => kind === 'service')
      .map((service) => {
        const value = ends.get(service.name) ?? 0;
        const isSo = compare(value) === 'so' && !hasBeenReady(service, CALM_MS, now);
        return {
          service: service.name,
          value,
          is: isSo ? 'so' : isSettled(service, now) ? 'well' : 'between',
          description: `${service.name} ended ${value} times within 10 min${lastWords(service)}`,
        };
      }),
  QueueBacklog: ({ product }, compare) => {
    if (product === undefined) return undefined;
    const { jobs } = product;
    if (jobs === undefined) return isWorkerGone(product.services) ? [] : undefined;
    const value = jobs.counts.created + jobs.counts.retry;
    return [{ service: '', value, is: compare(value), description: `${value} jobs wait` }];
  },
  QueueStuck: ({ product, concurrency }, compare) => {
    if (product === undefined) return undefined;
    const { jobs } = product;
    if (jobs === undefined) return isWorkerGone(product.services) ? [] : undefined;
    const { active } = jobs.counts;
    const couldRun = !jobs.paused && active < concurrency;
    const value = couldRun ? Math.round((jobs.oldestQueuedAgeMs ?? 0) / 1000) : 0;
    const description = `the oldest job waits ${formatDuration(value * 1000)}, and ${active} of ${concurrency} run`;
    return [{ service: '', value, is: compare(value), description }];
  },
  StoreVolatile: ({ product }) => {
    if (product === undefined) return undefined;
    const { jobs } = product;
    if (jobs === undefined) return isWorkerGone(product.services) ? [] : undefined;
    return [yesNo('', jobs.verdict === 'warn', `jobs are ${describeStore(jobs.store)}`)];
  },
  BackupFailed: ({ product, backups }) =>
    product && failedSchedules(product.schedules, (name) => backups.some((backup) => backup.name === name)),
  ScheduleFailed: ({ product, backups }) =>
    product && failedSchedules(product.schedules, (name) => !backups.some((backup) => backup.name === name)),
  BackupOverdue: ({ product, backups, now }, compare) =>
    product &&
    backups.map(({ name, since, everWell, period }) => {
      const age = Math.max(0, now - since);
      const value = Math.round((100 * age) / period);
      const what = everWell ? `went well ${formatDuration(age)} ago` : 'has never gone well';
      const description = `${name} ${what}; it is due every ${formatDuration(period)}`;
      return { service: name, value, is: compare(value), description };
    }),
  DiskSpace: (facts, compare) =>
    diskUse(facts, compare)?.map((found) => ({ ...found, atOnce: found.value >= DISK_FULL })),
  DiskFilling: diskUse,
  MemoryNearLimit: ({ memory }, compare) =>
    memory === undefined
      ? undefined
      : [
          {
            service: '',
            value: Math.round(memory),
            is: compare(memory),
            description: `${Math.round(memory)} % of the memory that this container may use is in use`,
          },
        ],
  LogDrops: ({ lostLines }, compare) =>
    lostLines &&
    [...lostLines].map(([service, value]) => ({
      service: service === STANDARD_OUTPUT ? '' : service,
      value,
      is: compare(value),
      description:
        service === STANDARD_OUTPUT
          ? `${value} lines were lost: the reader of standard output is too slow; allow log files (logs.files)`
          : `${value} lines of ${service} were lost: its log file could not take them; see whether the disk is full or broken`,
    })),
  ClockStep: ({ clockStep }, compare) => {
    const value = Math.round(clockStep);
    return [{ service: '', value, is: compare(value), description: `the clock was set by ${value} s` }];
  },
  NotifyFailing: ({ sinks }) =>
    [...sinks].map(([name, sink]) =>
      yesNo(name, isFailing(sink), `sink ${name} failed ${sink.failures} times: ${sink.lastError ?? ''}`),
    ),
};

/** @param threshold of the plan */
export function measure(rule: RuleName, threshold: number, facts: Facts): readonly Measurement[] | undefined {
  const { least, clear }: AlertRule = ALERT_RULES[rule];
  return MEASURES[rule](facts, (value) => {
    if (least ? value >= threshold : value > threshold) return 'so';
    return clear === undefined || value < threshold * clear ? 'well' : 'between';
  });
}

function yesNo(service: string, isSo: boolean, description: string): Measurement {
  return { service, value: isSo ? 1 : 0, is: isSo ? 'so' : 'well', description };
}

/** Who waits for another one is not the cause, and who was stopped by a person is not missed; to stop takes no minute. */
const DOWN: readonly ServiceStatus['status'][] = ['starting', 'unhealthy', 'stopping', 'backoff', 'failed'];

function down({ product, now }: Facts, critical: boolean): readonly Measurement[] | undefined {
  if (product === undefined) return undefined;
  const isStopping = product.phase === 'stopping';
  return product.services
    .filter((service) => (critical || service.kind === 'service') && service.critical === critical)
    .map((service) => {
      const { name, status, reason } = service;
      const why = reason === '' ? '' : `: ${reason}`;
      const found = {
        ...yesNo(name, DOWN.includes(status), `${name} is ${status}${why}${lastWords(service)}`),
        is: isDown(service, isStopping, now),
        // Its check is about to give it up: it is down since then, should it come to that.
        unsure: status === 'ready',
      };
      // What ends the product with it cannot be waited for.
      return isStopping && found.is === 'so' ? { ...found, atOnce: true } : found;
    });
}

/** Most have started by then. */
const STARTING_MS = 30_000;

function isDown(service: ServiceStatus, isStopping: boolean, now: number): Measurement['is'] {
  const { kind, critical, status, restarts, since, check } = service;
  // A stop that was asked for is no trouble, and nothing is well again by it; the one who gave up has brought it about.
  if (isStopping) return critical && status === 'failed' ? 'so' : 'between';
  if (kind === 'service') {
    if (status === 'ready') return (check?.failures ?? 0) > 0 ? 'so' : 'well';
    // To start takes its time; to start again because it ended or hung is trouble from the first moment.
    if (status === 'starting' && restarts === 0 && now - Date.parse(since) < STARTING_MS) return 'between';
    return DOWN.includes(status) ? 'so' : 'well';
  }
  // A task that is under way may fail once more.
  if (status === 'failed') return 'so';
  return status === 'done' || status === 'disabled' ? 'well' : 'between';
}

const SETTLED_MS = 10 * 60_000;
/** Who ended often and has been ready for so long need not be told of any more, if nobody was told before. */
const CALM_MS = 60_000;

function isSettled(service: ServiceStatus, now: number): boolean {
  if (['stopped', 'disabled', 'done'].includes(service.status)) return true;
  return hasBeenReady(service, SETTLED_MS, now);
}

function hasBeenReady({ status, since }: ServiceStatus, ms: number, now: number): boolean {
  return status === 'ready' && now - Date.parse(since) >= ms;
}

function isWorkerGone(services: readonly ServiceStatus[]): boolean {
  return services.every(({ name, status }) => name !== 'worker' || status === 'disabled');
}

function lastWords({ lastLine }: ServiceStatus): string {
  return lastLine === undefined || lastLine === '' ? '' : `; last line: ${lastLine}`;
}

function failedSchedules(
  schedules: NonNullable<Facts['product']>['schedules'],
  isMeant: (name: string) => boolean,
): readonly Measurement[] {
  return schedules
    .filter(({ name, status }) => status !== 'off' && isMeant(name))
    .map(({ name, lastRun }) =>
      yesNo(name, lastRun?.ok === false, `${name} failed when it last ran: ${lastRun?.reason ?? ''}`),
    );
}

/** Percent. What is written now fails already, so nobody waits and sees. */
const DISK_FULL = 99;

function diskUse(
  { disk }: Facts,
  compare: (value: number) => Measurement['is'],
): readonly Measurement[] | undefined {
  if (disk === undefined) return undefined;
  const value = Math.round(disk);
  return [
    { service: '', value, is: compare(disk), description: `${value} % of the disk of the volume is used` },
  ];
}
