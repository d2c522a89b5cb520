/**
 * One scrape: asks whoever knows, through caches, and answers with what there is. A source that is away leaves its
 * metrics out and is told as `bulkhead_source_up 0`; the scrape itself is always answered.
 */
import type { JobsStatus } from '../protocol/jobs.ts';
import type { AlertFigures, Measures, MetricsAnswer } from '../protocol/metrics.ts';
import { Cached } from './cached.ts';
import { type Exposition, expose } from './exposition.ts';
import { addAlerts } from './from-alerts.ts';
import { type AppFigures, addApp } from './from-app.ts';
import { addJobs } from './from-jobs.ts';
import { addMeasures } from './from-measures.ts';
import { addSupervisor } from './from-supervisor.ts';
import { addMachine } from './machine.ts';
import { Samples } from './samples.ts';

/** How the sources are asked; each rejects where it has no answer. */
export interface Sources {
  readonly supervisor: () => Promise<MetricsAnswer>;
  /** Undefined: the plan has no jobs. */
  readonly jobs: (() => Promise<JobsStatus>) | undefined;
  /** Undefined: the plan does not say where the app tells them. */
  readonly app: (() => Promise<AppFigures>) | undefined;
  /** Undefined: the plan has no alerts. */
  readonly alerts: (() => AlertFigures) | undefined;
  /** Asked only where there is a database. */
  readonly measures: () => Promise<Measures>;
}

export interface ScrapeOptions {
  readonly sources: Sources;
  readonly dataDir: string;
  /** ms of a clock that only goes on */
  readonly now: () => number;
}

export type Scrape = (accept: string | undefined) => Promise<Exposition>;

export function createScrape({ sources, dataDir, now }: ScrapeOptions): Scrape {
  const supervisor = new Cached(sources.supervisor, { fresh: 1000, stale: 5000, patience: 2000 }, now);
  const jobs = sources.jobs && new Cached(sources.jobs, { fresh: 5000, stale: 30_000, patience: 1000 }, now);
  const app = sources.app && new Cached(sources.app, { fresh: 5000, stale: 30_000, patience: 1000 }, now);
  // Nobody waits for it: the next scrape has it.
  const measures = new Cached(sources.measures, { fresh: 5000, stale: 120_000, patience: 0 }, now);
  let loop = performance.eventLoopUtilization();

  return async (accept) => {
    const to = new Samples();
    const [ofSupervisor, ofJobs, ofApp] = await Promise.all([supervisor.get(), jobs?.get(), app?.get()]);
    const ofMeasures = hasDatabase(ofSupervisor) ? await measures.get() : undefined;
    to.add('bulkhead_up', ofSupervisor !== undefined);
    to.add('bulkhead_source_up', supervisor.isUp, { source: 'supervisor' });
    to.add('bulkhead_source_up', jobs?.isUp, { source: 'jobs' });
    to.add('bulkhead_source_up', measures.isUp, { source: 'measures' });
    to.add('bulkhead_source_up', app?.isUp, { source: 'app' });
    if (ofSupervisor) addSupervisor(to, ofSupervisor, Date.now());
    if (ofJobs) addJobs(to, ofJobs);
    if (ofApp) addApp(to, ofApp);
    if (ofMeasures) addMeasures(to, ofMeasures);
    if (sources.alerts) addAlerts(to, sources.alerts());
    addMachine(to, dataDir);
    const after = performance.eventLoopUtilization();
    to.add('nodejs_eventloop_utilization_ratio', performance.eventLoopUtilization(after, loop).utilization);
    loop = after;
    const { user, system } = process.cpuUsage();
    to.add('process_cpu_seconds_total', (user + system) / 1e6);
    to.add('process_resident_memory_bytes', process.memoryUsage.rss());
    to.add('process_start_time_seconds', Math.round(performance.timeOrigin) / 1000);
    return expose(to, accept);
  };
}

/** One that is set up: before that, whoever looks at it only disturbs. */
function hasDatabase(answer: MetricsAnswer | undefined): boolean {
  return answer?.product.services.some(({ name, status }) => name === 'setup' && status === 'done') === true;
}
