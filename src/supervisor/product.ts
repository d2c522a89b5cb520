/** The product as people are shown it, put together from what the rooms know. */
import type { Plan } from '../config/plan.ts';
import type { JobsSummary } from '../protocol/jobs.ts';
import { describeStore, type JobsHealth, judgeJobs } from '../protocol/jobs-words.ts';
import { overallOf } from '../protocol/overall.ts';
import type { ScheduleStatus } from '../protocol/schedules.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import type { ProductStatus, ServiceStatus } from '../protocol/status.ts';

export interface ProductFacts {
  readonly version: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly phase: ProductStatus['phase'];
  readonly services: readonly ServiceStatus[];
  readonly schedules: readonly ScheduleStatus[];
  readonly notes: readonly string[];
  /** What was asked for and is under way, in words. */
  readonly working?: readonly string[];
  /** What the worker said of the queue. */
  readonly jobs: JobsSummary | undefined;
  /** What is worst by the alerts, a sentence without a final stop. */
  readonly alert?: string | undefined;
}

export function describeProduct(plan: Plan, facts: ProductFacts): ProductStatus {
  const since = new Date(facts.since).toISOString();
  const jobs = facts.jobs && plan.jobs && judgeJobs(facts.jobs, plan.jobs.store);
  const ofServices = overallOf(facts.services, facts.phase);
  const { overall, reason } = withWarnings(ofServices, [
    facts.alert,
    warnOfSchedules(facts.schedules),
    warnOfJobs(jobs),
  ]);
  return {
    schemaVersion: SCHEMA_VERSION,
    name: plan.name,
    version: facts.version,
    tier: plan.tier,
    pid: facts.pid,
    since,
    phase: facts.phase,
    overall,
    reason,
    services: [...facts.services, ...plan.disabled.map(({ name, why }) => disabledStatus(name, why, since))],
    schedules: facts.schedules,
    ...(jobs && { jobs }),
    notes: facts.notes,
    ...(facts.working && facts.working.length > 0 ? { working: facts.working } : {}),
    addresses: listAddresses(plan),
  };
}

/**
 * What is beside the services is a warning, and never more. All of it is told, for one says nothing of another: a schedule
 * that failed, and a disk that fills up.
 */
function withWarnings(
  judged: Pick<ProductStatus, 'overall' | 'reason'>,
  warnings: readonly (string | undefined)[],
): Pick<ProductStatus, 'overall' | 'reason'> {
  const told = warnings.filter((warning) => warning !== undefined);
  if (told.length === 0 || judged.overall !== 'pass') return judged;
  return { overall: 'warn', reason: `degraded: ${told.join('; ')}` };
}

/** Those that failed when they were last due: nothing waits for a schedule. */
function warnOfSchedules(schedules: readonly ScheduleStatus[]): string | undefined {
  const [failed, ...others] = schedules.filter(
    ({ status, lastRun }) => status !== 'off' && lastRun?.ok === false,
  );
  if (failed === undefined) return undefined;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return `schedule ${failed.name} failed when it last ran: ${failed.lastRun?.reason}${more}`;
}

/** Jobs go on, but a crash may now cost some of them. */
function warnOfJobs(jobs: JobsHealth | undefined): string | undefined {
  return jobs?.verdict === 'warn' ? `jobs are ${describeStore(jobs.store)}` : undefined;
}

/** Where people find it: the address an http check asks, without its path, and our own probes. */
function listAddresses(plan: Plan): ProductStatus['addresses'] {
  const addresses = plan.runs.flatMap((run) => {
    const probe = run.kind === 'service' ? run.healthcheck?.probe : undefined;
    if (probe?.kind !== 'http' || typeof probe.url !== 'string') return [];
    const url = URL.parse(probe.url);
    if (url === null) return [];
    return [{ what: run.name, url: `${url.protocol}//${url.host.replace('127.0.0.1', 'localhost')}/` }];
  });
  const api = plan.api ? [{ what: 'api', url: `http://${ownHost(plan.api.host)}:${plan.ports.api}/` }] : [];
  return [...addresses, ...api, { what: 'health', url: `http://localhost:${plan.ports.probes}/health` }];
}

/** How this machine asks it. */
function ownHost(host: string): string {
  if (/^(0\.0\.0\.0|::|::1|127\.0\.0\.1)$/.test(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

function disabledStatus(name: string, why: string, since: string): ServiceStatus {
  return {
    name,
    kind: 'service',
    status: 'disabled',
    reason: why,
    since,
    generation: 0,
    pid: undefined,
    critical: false,
    restarts: 0,
    nextStart: undefined,
    startedIn: undefined,
    lastExit: undefined,
    lastLine: undefined,
    check: undefined,
    progress: undefined,
  };
}
