/**
 * The program `point-in-time`: from a base backup and the archived log to a cluster as it was at a moment, beside the one
 * in use. Input: `to` (a moment, or `latest`), and `dryRun` ; or, of a stage it made
 * before, `confirm` or `discard`. `alone`: no supervisor lives.
 */
import { join } from 'node:path';
import { readLines } from '../backups/moments.ts';
import { sizeOf } from '../backups/verify-backup.ts';
import { Failure } from '../base/errors.ts';
import { identifyDumps } from '../database/find-dump.ts';
import { findBinaries } from '../postgres/binaries.ts';
import { connectAsSuperuser, serverOf } from '../postgres/connect.ts';
import { readSystemIdentifier } from '../postgres/identity.ts';
import { type Layout, layoutOf } from '../postgres/layout.ts';
import { ensureLedger, writeLedger } from '../postgres/ledger.ts';
import { newOperation } from '../postgres/operation.ts';
import type { PrivateServer } from '../postgres/private-server.ts';
import { databaseUser } from '../postgres/system-user.ts';
import type { Job } from '../program/job.ts';
import { tellProgress } from '../program/progress.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { PointInTimePlan, PointInTimeResult, TableCounts } from '../protocol/point-in-time.ts';
import { freeBytes } from '../system/files.ts';
import { archiveFolder } from '../wal/archive.ts';
import { type Moment, parseMoment } from '../wal/moment.ts';
import { claimTimelines } from '../wal/prepare-archive.ts';
import { parseLsn, segmentName } from '../wal/segments.ts';
import { compareCounts, countRows } from './count-rows.ts';
import { findRoute, type Route } from './find-route.ts';
import { finishLog } from './finish-log.ts';
import { majorInUse } from './major-in-use.ts';
import { prepareVolume } from './prepare-volume.ts';
import { recoverInto } from './recover.ts';
import { buildCluster, confirmOperation, discardOperation } from './workspace.ts';

/** Segments that recovery holds in the cluster at a time, and what it writes itself. */
const ROOM = 512 * 1024 ** 2;
/** Without them at least as they were, PostgreSQL refuses to replay. */
const REPLAY_SETTINGS = ['max_prepared_transactions', 'shared_preload_libraries'];

export async function runPointInTime(job: Job): Promise<void> {
  const { to = '', dryRun, confirm, discard, alone } = job.assignment.input;
  const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
  if (alone !== undefined) prepareVolume(job);
  if (discard !== undefined) return discardOperation(layout, discard);
  if (confirm !== undefined) {
    const user = databaseUser(job.plan.systemUser);
    const { what } = await confirmOperation(layout, user, confirm, async ({ to: major }) => {
      // Even where it never serves: the number of its timeline is taken.
      const cluster = join(layout.pg, confirm, 'main');
      const archive = archiveFolder(layout.dataDir, readSystemIdentifier(cluster), major);
      await claimTimelines(archive, join(cluster, 'pg_wal'));
    });
    job.say(`${what}: confirmed`);
    return;
  }
  const moment = parseMoment(to, Date.now());
  if (moment === undefined) {
    throw new Failure(`cannot tell which moment "${to}" is`, {
      remedy: 'write it with its zone, 2026-11-21T08:15:00Z, or how long ago it was, 10m',
      exitCode: CommandExit.usage,
    });
  }
  // What the living server has not finished yet is the very moment people ask for most.
  if (alone === undefined) await finishLog(job, layout);
  const route = findRoute(readLines(layout.dataDir), moment, layout);
  const plan = planFor(layout, route, moment);
  const value = dryRun === undefined ? await recover(job, layout, route, plan, moment) : plan;
  job.report({ type: 'result', value });
}

function planFor(layout: Layout, { base, window }: Route, moment: Moment): PointInTimePlan {
  return {
    to: moment.text === undefined ? undefined : new Date(moment.at).toISOString(),
    target: moment.text,
    base: base.id,
    timeline: window.timeline,
    from: window.from,
    until: window.to,
    replaces: majorInUse(layout) !== undefined,
    segments: window.segments.length,
    needed: sizeOf(base) + ROOM,
    free: freeBytes(layout.pg),
  };
}

async function recover(
  job: Job,
  layout: Layout,
  route: Route,
  plan: PointInTimePlan,
  moment: Moment,
): Promise<PointInTimeResult> {
  const began = performance.now();
  const { base, line } = route;
  const { major } = base.manifest.server;
  const user = databaseUser(job.plan.systemUser);
  const what = plan.to === undefined ? 'return to the end of the log' : `return to ${plan.to}`;
  const operation = newOperation('pitr', { from: majorInUse(layout), to: major, what });
  const settings = Object.entries(job.plan.settings).filter(([name]) => REPLAY_SETTINGS.includes(name));
  let progress = tellProgress(what, job.report, job.say);
  const recovered: { facts?: Pick<PointInTimeResult, 'reached' | 'lsn' | 'tables'> } = {};
  await buildCluster({ layout, user, operation, needed: plan.needed, upTo: 'built' }, async (workspace) =>
    recoverInto(
      {
        layout,
        user,
        binaries: findBinaries({ major, libraryDir: join(layout.sockets, 'lib') }),
        signal: job.signal,
        backup: base.folder,
        archive: line.archive.folder,
        needed: neededNames(route),
        timeline: plan.timeline,
        target: moment.text,
        settings: Object.fromEntries(settings),
        onStep: (detail, done = 0, most = 0) => {
          if (most === 0) progress = tellProgress(what, job.report, job.say);
          progress.tell(done, most, detail);
        },
      },
      workspace,
      async (server) => {
        recovered.facts = await lookAt(job, server, route, plan);
      },
    ),
  );
  if (!recovered.facts) throw new Error('a cluster was recovered and nobody looked at it');
  const durationMs = Math.round(performance.now() - began);
  return { ...plan, ...recovered.facts, stage: operation.stage, durationMs };
}

/** Throws a Failure where the replay ended earlier than the archive lets it. */
async function lookAt(
  job: Job,
  server: PrivateServer,
  route: Route,
  plan: PointInTimePlan,
): Promise<Pick<PointInTimeResult, 'reached' | 'lsn' | 'tables'>> {
  const session = await server.connect();
  try {
    const { rows } = await session.query<{ lsn: string; reached: Date | null }>(
      'SELECT pg_last_wal_replay_lsn()::text AS lsn, pg_last_xact_replay_timestamp() AS reached',
    );
    const { lsn = '0/0', reached } = rows[0] ?? {};
    const expected = expectedEnd(route, plan.to !== undefined);
    if (parseLsn(lsn) < expected) {
      throw new Failure(`cannot recover: the replay ended at ${lsn}, and the archive goes further`, {
        remedy: 'look into the log for what the server says of it; nothing has changed',
        exitCode: CommandExit.refused,
      });
    }
    const layout = layoutOf(job.assignment.dataDir, job.assignment.runDir);
    const passed = await identifyDumps(layout, job.plan);
    await ensureLedger(session);
    await session.query('BEGIN');
    await writeLedger(session, {
      kind: 'restore',
      sha256: undefined,
      detail: {
        database: job.plan.name,
        user: job.plan.user,
        backup: plan.base,
        backupAt: reached?.toISOString() ?? plan.from,
        whole: true,
        ...(passed && { passed }),
      },
    });
    await session.query('COMMIT');
    return { lsn, reached: reached?.toISOString(), tables: await countBoth(job, server) };
  } finally {
    await session.end();
  }
}

/** At least the end of the backup; with no target, into the last of the segments that are there. */
function expectedEnd({ base, window, line }: Route, hasTarget: boolean): bigint {
  const end = parseLsn(base.manifest.wal.endLsn);
  const last = window.segments.at(-1);
  if (hasTarget || last === undefined) return end;
  const start = last.number * BigInt(line.archive.segmentSize);
  return start > end ? start : end;
}

function neededNames({ window, line }: Route): string[] {
  const segments = window.segments.map((segment) => segmentName(segment, line.archive.segmentSize));
  const history = line.archive.histories.has(window.timeline)
    ? [`${segmentName({ timeline: window.timeline, number: 0n }).slice(0, 8)}.history`]
    : [];
  return [...history, ...segments];
}

async function countBoth(job: Job, server: PrivateServer): Promise<TableCounts[]> {
  job.report({
    type: 'progress',
    progress: { what: 'counting rows', percent: undefined, detail: undefined },
  });
  const restored = await countRows((name) => server.connect(name));
  const living = serverOf(job.assignment, job.plan);
  const live = await countRows((name) => connectAsSuperuser(living, name)).catch(() => undefined);
  job.signal.throwIfAborted();
  return compareCounts(live, restored);
}
