/**
 * Every metric there is: what is served, the dashboard and the page of the documentation are made from this table. Names
 * follow Prometheus' conventions: base units, plural units last, `_total` for what only grows. Labels are bounded by the
 * plan: names of services, schedules and job types, never an id, a pid or an address.
 */

export interface Metric {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels?: readonly string[];
  /** Where the dashboard shows it, and how: `rate` per second for counters, quantiles for histograms. */
  readonly panel?: Panel;
}

export interface Panel {
  readonly row: (typeof ROWS)[number];
  readonly title: string;
  /** Grafana's word. */
  readonly unit: string;
  /** PromQL, where it is more than the metric itself; `$name` stands for the metric. */
  readonly query?: string;
}

export const ROWS = ['Product', 'Services', 'Jobs', 'Schedules and backups', 'Database', 'Machine'] as const;

const service = ['service'];

export const METRICS = {
  bulkhead_build_info: gauge('Version of Bulkhead and of its Node; always 1', ['version', 'node']),
  bulkhead_tier_info: gauge('The tier that runs; always 1', ['tier']),
  bulkhead_up: gauge('1 where the supervisor answers', [], {
    row: 'Product',
    title: 'Supervisor answers',
    unit: 'bool_on_off',
  }),
  bulkhead_ready: gauge('1 where /readyz says yes', [], {
    row: 'Product',
    title: 'Ready',
    unit: 'bool_on_off',
  }),
  bulkhead_draining: gauge('1 while everything is being stopped'),
  bulkhead_start_time_seconds: gauge('When the supervisor started, in seconds since the epoch'),
  bulkhead_loop_lag_seconds: gauge(
    'By how much the latest timer of PID 1 was late, within the last minute',
    [],
    {
      row: 'Product',
      title: 'PID 1: latest timer',
      unit: 's',
    },
  ),
  bulkhead_cpu_seconds_total: counter('CPU time of PID 1 itself'),
  bulkhead_resident_memory_bytes: gauge('Resident memory of PID 1 itself'),
  bulkhead_open_fds: gauge('Open files of PID 1 itself'),
  bulkhead_reaped_orphans_total: counter('Orphans PID 1 has waited for'),
  bulkhead_zombies: gauge('Dead processes nobody has waited for yet', [], {
    row: 'Product',
    title: 'Zombies',
    unit: 'short',
  }),
  bulkhead_internal_errors_total: counter('Mistakes of its own that PID 1 has survived'),
  bulkhead_source_up: gauge('1 where those figures could be had at the last try', ['source']),

  bulkhead_service_state: gauge('1 for the state a service is in, 0 for the others', ['service', 'state'], {
    row: 'Services',
    title: 'State',
    unit: 'short',
    query: '$name == 1',
  }),
  bulkhead_service_health: gauge('1 where its check is passed, 0 where it is down', service),
  bulkhead_service_restarts_total: counter('Ends nobody had asked for', service, {
    row: 'Services',
    title: 'Restarts in 10 min',
    unit: 'short',
    query: 'increase($name[10m])',
  }),
  bulkhead_service_exits_total: counter(
    'How its processes ended: asked for, by themselves, by a signal, out of memory, not in time, or unhealthy',
    ['service', 'reason'],
  ),
  bulkhead_service_start_time_seconds: gauge('When it was last started, in seconds since the epoch', service),
  bulkhead_service_backoff_seconds: gauge('How long it still waits for its next start', service),
  bulkhead_service_cpu_seconds_total: counter(
    'CPU time of its process tree, as far as a scrape saw it: short processes between two scrapes are missing',
    service,
    { row: 'Services', title: 'CPU', unit: 'percentunit', query: 'rate($name[5m])' },
  ),
  bulkhead_service_resident_memory_bytes: gauge(
    'Memory of its own that its process tree has in RAM; shared memory and mapped files do not count',
    service,
    { row: 'Services', title: 'Memory', unit: 'bytes' },
  ),
  bulkhead_service_open_fds: gauge('Open files of its process tree', service),
  bulkhead_service_threads: gauge('Threads of its process tree', service),
  bulkhead_service_processes: gauge('Processes of its process tree', service),
  bulkhead_check_duration_seconds: histogram(
    'How long passed health checks took: the response time of the service',
    service,
    {
      row: 'Services',
      title: 'Response time of checks (p95)',
      unit: 's',
    },
  ),
  bulkhead_check_results_total: counter('Health checks by what came of them', ['service', 'result'], {
    row: 'Services',
    title: 'Failed checks',
    unit: 'percentunit',
    query: 'sum by (service) (rate($name{result="failed"}[5m])) / sum by (service) (rate($name[5m]))',
  }),
  bulkhead_log_lines_total: counter('Lines written to the log files', service, {
    row: 'Services',
    title: 'Log lines per second',
    unit: 'short',
    query: 'rate($name[5m])',
  }),
  bulkhead_log_dropped_total: counter(
    'Lines that the log file of a service has missed; without log files, lines that standard output has missed',
    service,
  ),
  bulkhead_log_output_dropped_total: counter('Lines that standard output or a file has missed, all together'),
  bulkhead_log_write_errors_total: counter('Writes to the log files that failed', service),
  bulkhead_log_hidden_total: counter(
    'Lines that standard output was spared while others waited for a processor; the files have them',
    service,
  ),
  bulkhead_log_held_seconds_total: counter(
    'Seconds a loud service was not read while others waited for a processor',
    service,
  ),

  bulkhead_app_requests_total: counter(
    'Requests the app has answered, by route and by the first digit of the status',
    ['route', 'status'],
    {
      row: 'Product',
      title: 'App: requests per second',
      unit: 'reqps',
      query: 'sum by (status) (rate($name[5m]))',
    },
  ),
  bulkhead_app_request_duration_seconds: histogram('How long the app took to answer, by route', ['route'], {
    row: 'Product',
    title: 'App: response time (p95)',
    unit: 's',
  }),
  bulkhead_app_active_users: gauge('Different visitors of the app in the last 5 minutes', [], {
    row: 'Product',
    title: 'App: active users',
    unit: 'short',
  }),

  bulkhead_jobs: gauge('Jobs by type and state', ['queue', 'state'], {
    row: 'Jobs',
    title: 'Jobs',
    unit: 'short',
    query: '$name{state=~"created|retry|active|failed"}',
  }),
  bulkhead_jobs_oldest_queued_age_seconds: gauge(
    'How long the oldest job that could run has waited',
    ['queue'],
    {
      row: 'Jobs',
      title: 'Oldest waiting job',
      unit: 's',
    },
  ),
  bulkhead_jobs_store_durable: gauge(
    '1 where jobs are in PostgreSQL or Redis, 0 where in memory and its journal',
  ),
  bulkhead_jobs_paused: gauge('1 where no more jobs of this type begin', ['queue']),
  bulkhead_jobs_concurrency: gauge('Attempts of this type at once, at most', ['queue']),
  bulkhead_jobs_finished_total: counter('Jobs this worker has brought to an end', ['type', 'result'], {
    row: 'Jobs',
    title: 'Success rate',
    unit: 'percentunit',
    query: 'sum by (type) (rate($name{result="completed"}[1h])) / sum by (type) (rate($name[1h]))',
  }),
  bulkhead_job_attempts_failed_total: counter('Attempts that failed, by why; a retry may follow', [
    'type',
    'reason',
  ]),
  bulkhead_job_duration_seconds: histogram('How long attempts ran, whatever came of them', ['type'], {
    row: 'Jobs',
    title: 'Duration (p95)',
    unit: 's',
  }),
  bulkhead_job_result_total: counter(
    'Sums of the numbers in the results of completed jobs, such as assets and API calls of a scrape',
    ['type', 'field'],
    { row: 'Jobs', title: 'Results per hour', unit: 'short', query: 'increase($name[1h])' },
  ),

  bulkhead_alerts: gauge(
    'Alerts by rule and state: pending are those that do not yet last',
    ['alertname', 'state'],
    {
      row: 'Product',
      title: 'Alerts',
      unit: 'short',
      query: 'sum by (alertname, state) ($name) > 0',
    },
  ),
  bulkhead_notifications_total: counter(
    'Messages about alerts and heartbeats, by sink and by what came of each try',
    ['sink', 'result'],
    {
      row: 'Product',
      title: 'Notifications that failed, in 1 h',
      unit: 'short',
      query: 'increase($name{result="failed"}[1h])',
    },
  ),

  bulkhead_schedule_last_run_timestamp_seconds: gauge('When it last ended', ['schedule']),
  bulkhead_schedule_failed: gauge('1 where its last run failed', ['schedule'], {
    row: 'Schedules and backups',
    title: 'Failed when it last ran',
    unit: 'short',
    query: '$name == 1',
  }),
  bulkhead_schedule_last_success_timestamp_seconds: gauge('When it last ended well', ['schedule'], {
    row: 'Schedules and backups',
    title: 'Since the last success',
    unit: 's',
    query: 'time() - $name',
  }),
  bulkhead_schedule_next_run_timestamp_seconds: gauge('When it is due next', ['schedule']),
  bulkhead_schedule_missed_total: counter('Times it was due and passed over', ['schedule']),
  bulkhead_backup_last_success_timestamp_seconds: gauge(
    'When the newest backup was begun that was verified and is whole: the moment a restore can surely go back to',
    ['kind'],
    {
      row: 'Schedules and backups',
      title: 'Age of the last verified backup',
      unit: 's',
      query: 'time() - $name',
    },
  ),
  bulkhead_backup_size_bytes: gauge('Its size', ['kind'], {
    row: 'Schedules and backups',
    title: 'Size of the last verified backup',
    unit: 'bytes',
  }),
  bulkhead_backups: gauge('Backups that are kept; verified: those that were proven', ['kind', 'verified']),

  bulkhead_database_up: gauge('1 where the database answered'),
  bulkhead_database_size_bytes: gauge("Size of the application's database", [], {
    row: 'Database',
    title: 'Size',
    unit: 'bytes',
  }),
  bulkhead_database_connections: gauge('Sessions by what they do', ['state'], {
    row: 'Database',
    title: 'Sessions',
    unit: 'short',
  }),
  bulkhead_database_connections_max: gauge('max_connections'),
  bulkhead_database_locks_waiting: gauge('Sessions that wait for a lock of another', [], {
    row: 'Database',
    title: 'Waiting for locks',
    unit: 'short',
  }),
  bulkhead_database_longest_transaction_seconds: gauge('Age of the oldest transaction'),
  bulkhead_database_blocks_total: counter('Blocks by where they were found', ['from'], {
    row: 'Database',
    title: 'Cache hits',
    unit: 'percentunit',
    query: 'sum(rate($name{from="cache"}[5m])) / sum(rate($name[5m]))',
  }),
  bulkhead_database_transactions_total: counter('Transactions by how they ended', ['end'], {
    row: 'Database',
    title: 'Transactions per second',
    unit: 'short',
    query: 'rate($name[5m])',
  }),
  bulkhead_database_deadlocks_total: counter('Deadlocks'),
  bulkhead_database_temporary_bytes_total: counter('Bytes written to temporary files'),
  bulkhead_wal_archived_total: counter('Segments of the log that were archived'),
  bulkhead_wal_archive_failed_total: counter('Tries to archive a segment that failed'),
  bulkhead_wal_archive_last_success_timestamp_seconds: gauge('When a segment was last archived'),

  bulkhead_disk_size_bytes: gauge('Size of the file system', ['part']),
  bulkhead_disk_free_bytes: gauge('What is free on it for who is not root', ['part'], {
    row: 'Machine',
    title: 'Disk in use',
    unit: 'percentunit',
    query: '1 - $name / bulkhead_disk_size_bytes',
  }),
  bulkhead_disk_files_free: gauge('Files that can still be made on it', ['part']),
  bulkhead_container_memory_bytes: gauge('Memory of the container but for files that can be read again', [], {
    row: 'Machine',
    title: 'Memory of the container',
    unit: 'bytes',
  }),
  bulkhead_container_memory_limit_bytes: gauge('Its limit, where there is one'),
  bulkhead_container_cpu_seconds_total: counter('CPU time of the container', [], {
    row: 'Machine',
    title: 'CPU of the container',
    unit: 'percentunit',
    query: 'rate($name[5m])',
  }),
  bulkhead_network_receive_bytes_total: counter('Bytes received', ['interface'], {
    row: 'Machine',
    title: 'Network in',
    unit: 'Bps',
    query: 'rate($name[5m])',
  }),
  bulkhead_network_transmit_bytes_total: counter('Bytes sent', ['interface'], {
    row: 'Machine',
    title: 'Network out',
    unit: 'Bps',
    query: 'rate($name[5m])',
  }),
  bulkhead_network_errors_total: counter('Errors and drops', ['interface', 'direction']),

  process_cpu_seconds_total: counter('CPU time of the program that serves this'),
  process_resident_memory_bytes: gauge('Its resident memory'),
  process_start_time_seconds: gauge('When it started, in seconds since the epoch'),
  nodejs_eventloop_utilization_ratio: gauge('How busy its event loop was since the last scrape'),
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof METRICS;

function gauge(help: string, labels: readonly string[] = [], panel?: Panel): Metric {
  return { type: 'gauge', help, labels, ...(panel ? { panel } : {}) };
}

function counter(help: string, labels: readonly string[] = [], panel?: Panel): Metric {
  return { type: 'counter', help, labels, ...(panel ? { panel } : {}) };
}

function histogram(help: string, labels: readonly string[] = [], panel?: Panel): Metric {
  return { type: 'histogram', help, labels, ...(panel ? { panel } : {}) };
}
