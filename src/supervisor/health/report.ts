import { describeCounts, describeStore, type JobsHealth } from '../../protocol/jobs-words.ts';
import type { ProductStatus, ServiceStatus } from '../../protocol/status.ts';
import type { Overall } from '../../protocol/verdict.ts';
import { verdictOf } from './verdict.ts';

/** `application/health+json` (draft-inadarei-api-health-check-06). */
export interface HealthReport {
  readonly status: Overall;
  /** Of this form, not of the product. */
  readonly version: '1';
  readonly releaseId?: string;
  readonly serviceId?: string;
  readonly description?: string;
  readonly output?: string;
  readonly notes?: readonly string[];
  readonly checks?: Readonly<Record<string, readonly HealthCheck[]>>;
}

interface HealthCheck {
  readonly componentType: 'component' | 'datastore';
  readonly status: Overall;
  /** Our status word. */
  readonly observedValue: string;
  readonly time: string;
  readonly output?: string;
  /** Ends that nobody asked for. */
  readonly restarts?: number;
}

/** The kubelet stops reading after 10 KiB; a report is always shorter than this. */
export const LONGEST_REPORT = 8 * 1024;
/** With many services sentences are cut, and cut more, until the report fits. */
const OUTPUT_LENGTHS = [200, 80, 30, 0];

/** What anybody may know. */
export function briefReport(status: Overall): HealthReport {
  return { status, version: '1' };
}

/** What the holder of the token sees: every service that counts, within the length. Pure. */
export function fullReport(product: ProductStatus): HealthReport {
  let report = reportWith(product, 0, 0);
  for (const length of OUTPUT_LENGTHS) {
    report = reportWith(product, length, product.services.length);
    if (sizeOf(report) < LONGEST_REPORT) return report;
  }
  // Hundreds of services: those that are well need no line.
  const unwell = product.services.filter((service) => verdictOf(service) !== 'pass');
  for (let count = unwell.length; count > 0; count = Math.floor(count / 2)) {
    report = reportWith({ ...product, services: unwell }, 0, count);
    if (sizeOf(report) < LONGEST_REPORT) return report;
  }
  return reportWith({ ...product, services: [], notes: [] }, 0, 0);
}

/** One service, in the same form. */
export function serviceReport(service: ServiceStatus, details: boolean): HealthReport {
  const status = verdictOf(service) ?? 'pass';
  if (!details) return briefReport(status);
  return { ...briefReport(status), checks: { [`${service.name}:status`]: [checkOf(service, 200)] } };
}

function reportWith(product: ProductStatus, outputLength: number, count: number): HealthReport {
  const { overall, reason, version, name, tier, phase, working = [] } = product;
  const notes = [...working, ...product.notes];
  return {
    ...briefReport(overall),
    releaseId: version,
    serviceId: name,
    description: `tier ${tier}, ${phase}`,
    ...(overall === 'pass' ? {} : { output: cut(reason, Math.max(80, outputLength * 2)) }),
    ...(notes.length > 0 ? { notes: notes.slice(0, 10).map((note) => cut(note, 200)) } : {}),
    checks: {
      ...(product.jobs && { 'jobs:durability': [jobsCheck(product.jobs)] }),
      ...Object.fromEntries(
        product.services
          .filter((service) => verdictOf(service) !== undefined)
          .slice(0, count)
          .map((service) => [`${service.name}:status`, [checkOf(service, outputLength)]]),
      ),
    },
  };
}

function checkOf(service: ServiceStatus, outputLength: number): HealthCheck {
  const status = verdictOf(service) ?? 'pass';
  const why = service.check?.lastError ?? service.reason;
  return {
    componentType: service.name === 'database' ? 'datastore' : 'component',
    status,
    observedValue: service.status,
    time: service.since,
    ...(status === 'pass' || why === '' || outputLength === 0 ? {} : { output: cut(why, outputLength) }),
    ...(service.restarts > 0 ? { restarts: service.restarts } : {}),
  };
}

function jobsCheck({ store, verdict, ...summary }: JobsHealth): HealthCheck {
  const said = verdict === 'pass' ? describeCounts({ store, ...summary }) : describeStore(store);
  return {
    componentType: 'datastore',
    status: verdict,
    observedValue: store.durability,
    time: store.since,
    output: cut(said, 200),
  };
}

/** The queue alone, in the same form. */
export function jobsReport(jobs: JobsHealth, details: boolean): HealthReport {
  const brief = briefReport(jobs.verdict);
  return details ? { ...brief, checks: { 'jobs:durability': [jobsCheck(jobs)] } } : brief;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function sizeOf(report: HealthReport): number {
  return Buffer.byteLength(JSON.stringify(report));
}
