/**
 * Forty days of tier full in fast motion: the schedules of config/full.yaml by the real scheduler on a clock of its own,
 * their backups by the real programs on a real cluster, each in the belief that it is that day. The container is away
 * for two days in the midst of it. Then: which backups are there, whether every one restores, what they take; and the
 * logs of those days, under a cap that they would be beyond.
 *
 *   node bench/forty-days.ts
 *
 * Needs a PostgreSQL with its client programs. Takes some minutes.
 */

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isWhole, readShelf, viewOf } from '../src/backups/shelf.ts';
import { formatSize } from '../src/base/size.ts';
import type { ProgramName } from '../src/config/plan-runs.ts';
import type { SchedulePlan } from '../src/config/plan-schedules.ts';
import { readPlan } from '../src/config/read-plan.ts';
import type { BackupRunResult, VerifyResult } from '../src/protocol/backups.ts';
import type { Remembered } from '../src/supervisor/schedule/ports.ts';
import { Scheduler } from '../src/supervisor/schedule/scheduler.ts';
import { makeEmptyVolume } from '../test/support/postgres.ts';
import { openLogsOfDays } from './forty-days-logs.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const DAYS = 40;
/** The container is away from the beginning of this day, for so many. */
const AWAY = { from: 20, days: 2 };

const began = Date.now();
const start = Math.floor(began / DAY) * DAY;
let wall = start;
let memory: Record<string, Remembered> = {};
const due: { readonly name: string; readonly at: number }[] = [];
const counts: Record<string, number> = {};
const held: Record<string, number> = {};
let timers = new Set<{ readonly at: number; readonly run: () => void }>();

const plans = readSchedules();
const volume = await makeEmptyVolume();
const shift = join(volume.root, 'shifted-date.mjs');
copyFileSync(join(import.meta.dirname, 'shifted-date.mjs'), shift);
chmodSync(shift, 0o644);
const troubles: string[] = [];
const logs = openLogsOfDays(volume);
let most = 0;
try {
  await volume.boot();
  await volume.query('CREATE TABLE days (day int, note text)');
  let scheduler = boot();
  for (let day = 0; day < DAYS; day += 1) {
    if (day === AWAY.from) {
      timers = new Set();
      day += AWAY.days;
      wall = start + day * DAY;
      scheduler = boot();
    }
    await volume.query(
      `INSERT INTO days SELECT ${day}, repeat(md5(random()::text), 20) FROM generate_series(1, 500)`,
    );
    await passUntil(start + (day + 1) * DAY, scheduler);
    await logs.pass(start + day * DAY + DAY / 2);
    most = Math.max(most, bytesOf(join(volume.dataDir, 'backups')));
    process.stdout.write(`day ${day + 1}: ${readShelf(join(volume.dataDir, 'backups')).length} backups\n`);
  }
  await report();
} finally {
  await volume.remove();
}

function readSchedules(): readonly SchedulePlan[] {
  const { plan } = readPlan({
    flags: { tier: 'full', config: join(import.meta.dirname, '..', 'config') },
    env: { TZ: 'UTC' },
    readFile: (path) => {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined;
      }
    },
    root: false,
    runDir: '/run/bulkhead',
  });
  if (!plan) throw new Error('config/full.yaml cannot be read');
  return plan.schedules.map((each) => ({ ...each, timeZone: 'UTC' }));
}

function boot(): Scheduler {
  const scheduler = new Scheduler({
    clock: {
      now: () => wall,
      mono: () => wall,
      after: (ms, run) => {
        const timer = { at: wall + ms, run };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    },
    random: () => 0,
    load: () => structuredClone(memory),
    save: (next) => {
      memory = structuredClone(next) as Record<string, Remembered>;
      return Promise.resolve();
    },
    start: (name) => due.push({ name, at: wall }),
    say: (_level, text) => process.stdout.write(`  ${text}\n`),
  });
  scheduler.take(plans);
  return scheduler;
}

/** What is due at one moment runs one after the other, as --wait makes it. */
async function passUntil(end: number, scheduler: Scheduler): Promise<void> {
  for (;;) {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    for (const run of due.splice(0)) {
      counts[run.name] = (counts[run.name] ?? 0) + 1;
      const why = await carryOut(run.name);
      if (why !== undefined) troubles.push(`${new Date(run.at).toISOString()} ${run.name}: ${why}`);
      scheduler.ended(run.name, why === undefined, why ?? '');
    }
    const next = [...timers].sort((a, b) => a.at - b.at)[0];
    if (next === undefined || next.at > end) break;
    timers.delete(next);
    wall = Math.max(wall, next.at);
    next.run();
  }
  wall = end;
}

/** The program that the schedule's command asks PID 1 for; undefined: it went well, or is no matter of backups. */
async function carryOut(name: string): Promise<string | undefined> {
  const work = plans.find((plan) => plan.name === name)?.run?.work;
  const argv = work?.kind === 'command' ? work.argv.map(String) : [];
  if (argv[1] !== 'backup') return undefined;
  const level = argv.includes('--level') ? { level: argv[argv.indexOf('--level') + 1] ?? '' } : {};
  const [program, input]: [ProgramName, Record<string, string>] =
    argv[2] === 'verify'
      ? ['verify-backups', { ...(argv.includes('--all') ? { all: 'yes' } : {}), ...level }]
      : ['backup', { what: argv[3] ?? '', ...(argv.includes('--full') ? { full: 'yes' } : {}) }];
  const ended = await run(program, input);
  if (ended.code !== 0) return ended.failure ?? `exit ${ended.code}`;
  if (program === 'backup') {
    for (const why of (ended.result as BackupRunResult).pruned.held) held[why] = (held[why] ?? 0) + 1;
  }
  const bad = program === 'verify-backups' ? (ended.result as VerifyResult[]).filter(({ ok }) => !ok) : [];
  return bad.length === 0 ? undefined : bad.map(({ id, problem }) => `${id}: ${problem}`).join('; ');
}

/** The clock goes on while it runs, so that what is removed after a backup is decided after it. */
async function run(program: ProgramName, input: Record<string, string>) {
  const from = Date.now();
  const env = { NODE_OPTIONS: `--import=${shift}`, SHIFT_DATE_MS: String(wall - Date.now()) };
  const ended = await volume.run(program, { input, env });
  wall += Date.now() - from;
  return ended;
}

async function report(): Promise<void> {
  const root = join(volume.dataDir, 'backups');
  const verified = (await run('verify-backups', { all: 'yes', level: 'restored' })).result as VerifyResult[];
  const levels = new Map(verified.map((each) => [each.id, each]));
  process.stdout.write(`\nruns: ${JSON.stringify(counts)}\ntroubles: ${troubles.join('\n') || 'none'}\n`);
  process.stdout.write(`nothing was removed because: ${JSON.stringify(held)}\n`);
  process.stdout.write(`backups on day ${DAYS}, verified anew:\n`);
  for (const backup of readShelf(root)) {
    const age = isWhole(backup) ? Math.round((wall - Date.parse(viewOf(backup).startedAt)) / DAY) : -1;
    const result = levels.get(backup.id);
    process.stdout.write(
      `${backup.id}  ${age} d  ${result?.ok ? result.level : `BAD: ${result?.problem}`}\n`,
    );
  }
  const bad = verified.filter(({ ok }) => !ok).length;
  const took = Math.round((Date.now() - began) / 1000);
  process.stdout.write(
    `${verified.length} backups, ${bad} bad; now ${formatSize(bytesOf(root))}, at most ${formatSize(most)}; ${took} s\n${logs.report()}\n`,
  );
}

function bytesOf(folder: string): number {
  return Number(execFileSync('du', ['-sb', folder], { encoding: 'utf8' }).split('\t')[0]);
}
