/** The rules of alerts: one table behind the words of a plan, what is judged, and the rules that Prometheus is given. */

export type Severity = 'warning' | 'critical';

export interface AlertRule {
  readonly severity: Severity;
  /** What is true then, for people; completes "NAME: …". */
  readonly what: string;
  /** More than so much; undefined: it is so or not. */
  readonly threshold?: number;
  /** What the threshold counts. */
  readonly unit?: string;
  /** The threshold itself is too much already. */
  readonly least?: true;
  /** Below this share of the threshold it is well again; between the two nothing changes. */
  readonly clear?: number;
  /** How long it must be so without a break; ms. */
  readonly for: number;
  /** How long it must not be so, without a break, before it is over; ms. */
  readonly keep: number;
  /** Told of the same service, these make it needless. */
  readonly coveredBy?: readonly string[];
  /** The same in PromQL, of our own metrics; undefined: only Bulkhead itself can tell. `{}` stands for the threshold. */
  readonly promql?: string;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const ALERT_RULES = {
  ServiceDown: {
    severity: 'critical',
    what: 'a service that the product cannot do without is not ready',
    for: MINUTE / 2,
    keep: MINUTE,
    promql:
      'max without (state) (bulkhead_service_state{state=~"starting|unhealthy|stopping|backoff|failed"}) == 1 and on() bulkhead_ready == 0',
  },
  OptionalServiceDown: {
    severity: 'warning',
    what: 'another service is not ready',
    for: 5 * MINUTE,
    keep: MINUTE,
    promql:
      'max without (state) (bulkhead_service_state{state=~"starting|unhealthy|stopping|backoff|failed"}) == 1 unless on() bulkhead_ready == 0',
  },
  CrashLoop: {
    severity: 'critical',
    what: 'a service ends again and again, unasked, within 10 minutes',
    threshold: 3,
    unit: 'ends',
    least: true,
    for: 0,
    keep: 0,
    coveredBy: ['ServiceDown'],
    promql: 'increase(bulkhead_service_restarts_total[10m]) >= {}',
  },
  QueueBacklog: {
    severity: 'warning',
    what: 'many jobs wait',
    threshold: 100,
    unit: 'jobs',
    clear: 0.8,
    for: MINUTE,
    keep: 5 * MINUTE,
    promql: 'sum(bulkhead_jobs{state=~"created|retry"}) > {}',
  },
  QueueStuck: {
    severity: 'critical',
    what: 'a job waits long though more could run',
    threshold: 1800,
    unit: 'seconds',
    for: 2 * MINUTE,
    keep: 5 * MINUTE,
    promql: 'max(bulkhead_jobs_oldest_queued_age_seconds) > {}',
  },
  StoreVolatile: {
    severity: 'warning',
    what: 'jobs are kept less safely than the plan asks for',
    for: MINUTE,
    keep: MINUTE,
    promql: 'min(bulkhead_jobs_store_durable) == 0',
  },
  BackupFailed: {
    severity: 'critical',
    what: 'the last run of a backup failed',
    for: 0,
    keep: 0,
    // There a schedule is known by its name alone.
    promql: 'bulkhead_schedule_failed{schedule=~"backup.*"} == 1',
  },
  BackupOverdue: {
    severity: 'critical',
    what: 'a backup has not gone well for longer than its schedule allows',
    threshold: 150,
    unit: 'percent of the time between two runs',
    for: 0,
    keep: 0,
    coveredBy: ['BackupFailed'],
    promql: 'time() - bulkhead_backup_last_success_timestamp_seconds{kind="dump"} > 36 * 3600',
  },
  ScheduleFailed: {
    severity: 'warning',
    what: 'the last run of a schedule failed',
    for: 0,
    keep: 0,
    promql: 'bulkhead_schedule_failed{schedule!~"backup.*"} == 1',
  },
  DiskSpace: {
    severity: 'critical',
    what: 'the disk of the volume is nearly full',
    threshold: 90,
    unit: 'percent',
    clear: 80 / 90,
    for: 5 * MINUTE,
    keep: 0,
    promql: '100 * (1 - bulkhead_disk_free_bytes / bulkhead_disk_size_bytes) > {}',
  },
  DiskFilling: {
    severity: 'warning',
    what: 'the disk of the volume fills up',
    threshold: 85,
    unit: 'percent',
    clear: 80 / 85,
    for: 5 * MINUTE,
    keep: 0,
    coveredBy: ['DiskSpace'],
    promql: '100 * (1 - bulkhead_disk_free_bytes / bulkhead_disk_size_bytes) > {}',
  },
  MemoryNearLimit: {
    severity: 'warning',
    what: 'the memory of the container is nearly used up',
    threshold: 90,
    unit: 'percent',
    clear: 80 / 90,
    for: 5 * MINUTE,
    keep: 0,
    promql: '100 * bulkhead_container_memory_bytes / bulkhead_container_memory_limit_bytes > {}',
  },
  LogDrops: {
    severity: 'warning',
    what: 'lines of logs were lost, and are in no file',
    threshold: 0,
    unit: 'lines since the look before',
    for: 0,
    keep: HOUR,
    promql: 'increase(bulkhead_log_dropped_total[1h]) > {}',
  },
  ClockStep: {
    severity: 'warning',
    what: 'the clock of the machine was set',
    threshold: 10,
    unit: 'seconds',
    for: 0,
    keep: HOUR,
  },
  NotifyFailing: {
    severity: 'warning',
    what: 'alerts cannot be delivered to a sink',
    for: 0,
    keep: 0,
    promql:
      'increase(bulkhead_notifications_total{result="failed"}[30m]) > 5 unless on(instance, sink) increase(bulkhead_notifications_total{result="sent"}[30m]) > 0',
  },
} as const satisfies Readonly<Record<string, AlertRule>>;

export type RuleName = keyof typeof ALERT_RULES;

export const RULE_NAMES = Object.keys(ALERT_RULES) as readonly RuleName[];
