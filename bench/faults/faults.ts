/** The faults, in the words and by the hands of somebody who runs the image. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSite } from '../../docker/scraper/test/site/site.ts';
import type { JobList, JobView } from '../../src/protocol/jobs.ts';
import {
  type Container,
  docker,
  isApp,
  isPostgres,
  type Process,
  waitFor,
} from '../../test/image/container.ts';
import { addJob, findJob } from '../../test/image/jobs.ts';
import { pidOne } from '../subjects.ts';
import { setClock, settableClock } from './clock.ts';
import type { Fault, Figure, Subject } from './fault.ts';
import { sumOf } from './watch.ts';

const DAY_S = 86_400;

const figure = (name: string, says: Figure['says']): Figure => ({
  name,
  read: (exposition) => sumOf(exposition, name),
  says,
});

const grew: Figure['says'] = (value, before) => value > before;
const isNone: Figure['says'] = (value) => value === 0;
const isOne: Figure['says'] = (value) => value === 1;
const isBad: NonNullable<Fault['health']> = ({ ready, status }) => status !== 'pass' || ready !== 200;

const site = await startSite();
/** A page that eats memory until it is stopped. */
const HUNGRY = `${site.url}/page/11`;

export const closeSite = (): Promise<void> => site.close();

export const FAULTS: readonly Fault[] = [
  {
    name: 'app-killed',
    what: 'the app is killed 10 times within a minute (`kill -9`)',
    async begin({ container, note }) {
      const began = performance.now();
      for (let kill = 0; kill < 10; kill += 1) {
        await killOne(container, isApp);
        await sleep(Math.max(0, began + (kill + 1) * 6000 - performance.now()));
      }
      note(`10 kills in ${seconds(began)} s; ${await countStarts(container)} starts of the container`);
    },
    end: async () => undefined,
    health: isBad,
    metric: figure('bulkhead_service_restarts_total{service="app"}', grew),
    // It gives up after six; before that a crash loop may be told.
    alert: 'ServiceDown/app',
    patience: 90,
    endPatience: 180,
  },
  {
    name: 'app-gives-up',
    what: 'the app is killed until it gives up, and nobody starts the container again',
    args: async () => ['--restart', 'no'],
    async begin({ container, hook, note }) {
      const began = performance.now();
      while (await isRunning(container)) {
        await signalAll(container, isApp, 'KILL');
        await sleep(200);
      }
      const told = hook.told.find(({ fingerprint }) => fingerprint === 'ServiceDown/app');
      note(
        `the container ended ${await container.exitCode()} after ${seconds(began)} s, told ${seconds(began, told?.at)} s`,
      );
    },
    end: ({ container }) => container.start(),
    health: isBad,
    metric: figure('bulkhead_service_restarts_total{service="app"}', grew),
    alert: 'ServiceDown/app',
    patience: 60,
    endPatience: 180,
    check: expectTools,
  },
  ...[60, 90].flatMap((lasting): Fault[] => [
    {
      name: `database-hung-${lasting}`,
      what: `the database hangs for ${lasting} s (each process of it is stopped, again and again)`,
      begin: ({ container }) => againAndAgain(lasting, () => signalAll(container, isPostgres, 'STOP')),
      end: async ({ container }) => signalAll(container, isPostgres, 'CONT'),
      ...ofDatabase(lasting),
    },
    {
      name: `database-down-${lasting}`,
      what: `the database is killed whenever it starts, for ${lasting} s`,
      begin: ({ container }) => againAndAgain(lasting, () => signalAll(container, isPostgres, 'KILL')),
      end: async ({ container, note }) => note(`${await countStarts(container)} starts of the container`),
      ...ofDatabase(lasting),
    },
  ]),
  {
    name: 'disk-full',
    what: 'the disk of /data is full to the last byte',
    data: 'tmpfs',
    args: async () => ['--tmpfs', '/data:size=800m,mode=1777'],
    async begin({ container, note }) {
      await container.exec(['bash', '-c', 'dd if=/dev/zero of=/data/filler bs=64k 2>/dev/null; sync']);
      const write = await container
        .sql("CREATE TABLE filled AS SELECT repeat('x', 2000) FROM generate_series(1, 20000)")
        .then(() => 'was possible', String);
      note(`a large write: ${/ERROR:[^\n]*/.exec(write)?.[0] ?? write}`);
      note(`the app answers with ${await container.tools().catch(String)} rows`);
    },
    end: async ({ container }) => void (await container.exec(['rm', '/data/filler'])),
    health: isBad,
    metric: figure('bulkhead_disk_free_bytes{part="data"}', (value) => value < 1e6),
    alert: 'DiskSpace',
    patience: 360,
    // Until the next deep check.
    endPatience: 330,
    check: expectTools,
  },
  {
    name: 'backups-read-only',
    what: 'the target of the backups is read-only',
    async args(folder) {
      mkdirSync(join(folder, 'backups'));
      return ['--volume', `${join(folder, 'backups')}:/data/backups`];
    },
    async begin(subject) {
      await remount(subject.container, 'ro');
      await runBackup(subject);
    },
    async end(subject) {
      await remount(subject.container, 'rw');
      await runBackup(subject);
    },
    health: isBad,
    metric: {
      name: 'runs of backup-daily that failed since the last that went well',
      read: lastRunFailed('backup-daily'),
      says: isOne,
    },
    alert: 'BackupFailed/backup-daily',
    patience: 60,
    endPatience: 60,
  },
  {
    name: 'clock',
    what: 'the clock of the machine is set forward by a day',
    plan: 'alerts: { rules: { ClockStep: { keep: 1m } } }',
    args: async (folder) => settableClock(folder),
    begin: async ({ folder }) => setClock(folder, DAY_S),
    async end({ container, note }) {
      await sleep(30_000);
      const { stdout } = await container.exec([
        'bash',
        '-c',
        'date -u +%F; bulkhead schedule list; ls /data/logs',
      ]);
      note(stdout.trim().replaceAll('\n', ' ⏎ '));
    },
    alert: 'ClockStep',
    patience: 60,
    endPatience: 120,
    check: expectTools,
  },
  {
    name: 'jobs-waiting',
    what: '150 jobs wait',
    async begin({ container, note }) {
      await container.exec(['bulkhead', 'job', 'pause', 'scrape']);
      const began = performance.now();
      for (let n = 0; n < 150; n += 1) await addJob(container, 'scrape', { url: `http://127.0.0.1:9/${n}` });
      note(`150 jobs added in ${seconds(began)} s`);
    },
    async end({ container }) {
      // To the end of those that wait; what is paused starts none of them meanwhile.
      const { stdout } = await container.exec([
        'bulkhead',
        'job',
        'list',
        '--state',
        'created',
        '--limit',
        '200',
        '--json',
      ]);
      const { jobs }: JobList = JSON.parse(stdout);
      for (const { id } of jobs) await container.exec(['bulkhead', 'job', 'cancel', id]);
      await container.exec(['bulkhead', 'job', 'resume', 'scrape']);
    },
    metric: figure('bulkhead_jobs{state="created"}', (value) => value > 100),
    alert: 'QueueBacklog',
    patience: 120,
    endPatience: 360,
  },
  {
    name: 'browser-out-of-memory',
    what: 'a page eats all the memory its browser may have',
    env: { SCRAPER_ALLOW_PRIVATE: `127.0.0.1:${site.port}` },
    async begin(subject) {
      const { container, note } = subject;
      const began = performance.now();
      const { id } = await addJob(container, 'scrape', { url: HUNGRY });
      let job: JobView;
      do {
        await sleep(1000);
        job = await findJob(container, { id });
      } while (!['completed', 'failed', 'cancelled'].includes(job.state));
      const { state, attempts, failure } = job;
      note(`${state} after ${attempts} attempts and ${seconds(began)} s: ${JSON.stringify(failure)}`);
    },
    end: async () => undefined,
    metric: figure('bulkhead_job_attempts_failed_total{type="scrape"}', grew),
    patience: 300,
    endPatience: 10,
    check: expectTools,
  },
  {
    name: 'never-ready',
    what: 'a service that is not critical never becomes ready',
    plan: 'services: { slow: { command: [sleep, infinity], critical: false, healthcheck: { test: [CMD, test, -e, /data/ok], interval: 2s, start_period: 10s } } }',
    neverReady: true,
    begin: async () => undefined,
    // By then it has given up for ten minutes: a person mends it and starts it.
    end: async ({ container }) =>
      void (await container.exec(['bash', '-c', 'touch /data/ok && bulkhead start slow'])),
    health: isBad,
    metric: figure('bulkhead_service_state{service="slow",state="ready"}', isNone),
    alert: 'OptionalServiceDown/slow',
    patience: 420,
    endPatience: 180,
  },
  {
    name: 'critical-never-ready',
    what: 'a critical service never becomes ready',
    plan: 'services: { slow: { command: [sleep, infinity], critical: true, healthcheck: { test: [CMD, test, -e, /data/ok], interval: 2s, start_period: 10s } } }',
    neverReady: true,
    begin: async () => undefined,
    async end({ container, note }) {
      note(`${await countStarts(container)} starts of the container`);
      await container.exec(['touch', '/data/ok']);
    },
    health: isBad,
    metric: figure('bulkhead_service_state{service="slow",state="ready"}', isNone),
    alert: 'ServiceDown/slow',
    patience: 420,
    endPatience: 180,
  },
  {
    name: 'webhook-500',
    what: 'one of two webhooks answers 500',
    plan: `alerts: { sinks: { deaf: { type: webhook, url: "DEAF" } } }
schedules: { fails: { cron: "0 0 1 1 *", command: [test, -e, /data/ok] } }`,
    async begin({ container, hook, deaf, note }) {
      const began = performance.now();
      await container.exec(['bulkhead', 'schedule', 'run', 'fails']);
      await waitFor('the other sink', async () => hook.told.length > 0, container);
      note(`the other webhook was told after ${seconds(began, hook.told[0]?.at)} s`);
      await waitFor('the sixth try', async () => deaf.asked.length > 5, container, 120_000);
      note(`tries after ${deaf.asked.map((at) => seconds(began, at)).join(', ')} s`);
      note((await container.exec(['bulkhead', 'alerts', 'list'])).stdout.trim().replaceAll('\n', ' ⏎ '));
    },
    async end({ container, deaf }) {
      // What it has not heard of is over before it hears again.
      await container.exec(['touch', '/data/ok']);
      await container.exec(['bulkhead', 'schedule', 'run', 'fails']);
      await sleep(15_000);
      deaf.status = 200;
    },
    health: isBad,
    alert: 'NotifyFailing/deaf',
    patience: 180,
    endPatience: 420,
    async check({ deaf, note }) {
      const told = deaf.told.map(({ fingerprint, status }) => `${fingerprint} ${status}`);
      note(`then it was told ${told.join(', ')}`);
    },
  },
];

function ofDatabase(
  lasting: number,
): Pick<Fault, 'health' | 'metric' | 'alert' | 'patience' | 'endPatience' | 'check'> {
  return {
    health: isBad,
    metric: figure('bulkhead_ready', isNone),
    alert: 'ServiceDown/database',
    patience: lasting,
    endPatience: 180,
    check: expectTools,
  };
}

function seconds(from: number, to = performance.now()): string {
  return ((to - from) / 1000).toFixed(1);
}

/** Waits until there is one. */
async function killOne(container: Container, isVictim: (process: Process) => boolean): Promise<void> {
  let pid: number | undefined;
  await waitFor(
    'a process to kill',
    async () => {
      pid = (await container.processes()).find(isVictim)?.pid;
      return pid !== undefined;
    },
    undefined,
    120_000,
  );
  await container.exec(['bash', '-c', `kill -9 ${pid}`]);
}

async function signalAll(
  container: Container,
  isVictim: (process: Process) => boolean,
  signal: 'STOP' | 'CONT' | 'KILL',
): Promise<void> {
  const pids = (await container.processes()).filter(isVictim).map(({ pid }) => pid);
  if (pids.length > 0) await container.exec(['bash', '-c', `kill -${signal} ${pids.join(' ')} 2>/dev/null`]);
}

/** Goes on for so many seconds. */
async function againAndAgain(lasting: number, act: () => Promise<void>): Promise<void> {
  const end = performance.now() + lasting * 1000;
  while (performance.now() < end) {
    await act();
    await sleep(250);
  }
}

async function isRunning({ name }: Container): Promise<boolean> {
  return (await docker(['inspect', '-f', '{{.State.Running}}', name])).stdout.trim() === 'true';
}

async function countStarts({ name }: Container): Promise<number> {
  const { stdout } = await docker(['inspect', '-f', '{{.RestartCount}}', name]);
  return 1 + Number(stdout.trim());
}

async function expectTools({ container }: Subject): Promise<void> {
  await container.ready();
  const rows = await container.tools();
  if (rows !== 16_765) throw new Error(`the app finds ${rows} rows instead of 16,765`);
}

/** From outside: the container itself has no right to. */
async function remount({ name }: Container, how: 'ro' | 'rw'): Promise<void> {
  const pid = String(await pidOne(name));
  execFileSync('nsenter', ['-t', pid, '-m', 'mount', '-o', `remount,bind,${how}`, '/data/backups']);
}

async function runBackup({ container, note }: Subject): Promise<void> {
  const { code, stdout, stderr } = await container.exec(['bulkhead', 'schedule', 'run', 'backup-daily']);
  note(`backup-daily ended ${code}: ${(stdout + stderr).trim().split('\n').at(-1)}`);
}

function lastRunFailed(schedule: string): Figure['read'] {
  return (exposition) => {
    const at = (name: string) =>
      sumOf(exposition, `bulkhead_schedule_last_${name}_timestamp_seconds{schedule="${schedule}"}`);
    const run = at('run');
    return run === undefined ? 0 : Number(run > (at('success') ?? 0));
  };
}
