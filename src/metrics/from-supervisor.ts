/** What PID 1 tells, as metrics. Pure. */
import { CHECK_BUCKETS, type MetricsAnswer, type RunFigures } from '../protocol/metrics.ts';
import type { ScheduleStatus } from '../protocol/schedules.ts';
import { type ServiceStatus, STANDARD_OUTPUT, STATUS_WORDS } from '../protocol/status.ts';
import type { Samples } from './samples.ts';

/** @param now ms since the epoch */
export function addSupervisor(to: Samples, answer: MetricsAnswer, now: number): void {
  const { product } = answer;
  to.add('bulkhead_build_info', 1, { version: product.version, node: process.versions.node });
  to.add('bulkhead_tier_info', 1, { tier: product.tier });
  to.add('bulkhead_ready', answer.ready);
  to.add('bulkhead_draining', product.phase === 'stopping');
  to.add('bulkhead_start_time_seconds', secondsOf(product.since));
  to.add('bulkhead_cpu_seconds_total', answer.cpuSeconds);
  to.add('bulkhead_reaped_orphans_total', answer.reaped);
  const self = product.supervisor;
  if (self) {
    to.add('bulkhead_loop_lag_seconds', self.loopLag / 1000);
    to.add('bulkhead_zombies', self.zombies);
    to.add('bulkhead_resident_memory_bytes', self.residentBytes);
    to.add('bulkhead_open_fds', self.openFiles);
    to.add('bulkhead_internal_errors_total', self.internalErrors);
    to.add('bulkhead_log_output_dropped_total', self.logDroppedLines);
    const lost = self.logLostLines[STANDARD_OUTPUT];
    if (lost !== undefined) to.add('bulkhead_log_dropped_total', lost, { service: STANDARD_OUTPUT });
  }
  for (const service of product.services) addService(to, service, now);
  for (const [name, figures] of Object.entries(answer.runs)) addRun(to, name, figures);
  for (const [service, { written, dropped, failures, hidden, heldSeconds }] of Object.entries(answer.logs)) {
    to.add('bulkhead_log_lines_total', written, { service });
    to.add('bulkhead_log_dropped_total', dropped, { service });
    to.add('bulkhead_log_write_errors_total', failures, { service });
    to.add('bulkhead_log_hidden_total', hidden, { service });
    to.add('bulkhead_log_held_seconds_total', heldSeconds, { service });
  }
  for (const schedule of product.schedules) addSchedule(to, schedule);
}

function addService(to: Samples, status: ServiceStatus, now: number): void {
  const service = { service: status.name };
  for (const state of STATUS_WORDS)
    to.add('bulkhead_service_state', status.status === state, { ...service, state });
  to.add('bulkhead_service_health', status.check?.up, service);
  to.add('bulkhead_service_restarts_total', status.restarts, service);
  const next = secondsOf(status.nextStart);
  to.add(
    'bulkhead_service_backoff_seconds',
    next === undefined ? 0 : Math.max(0, next - now / 1000),
    service,
  );
}

function addRun(to: Samples, name: string, { exits, startedAt, checks, cpuSeconds, load }: RunFigures): void {
  const service = { service: name };
  for (const [reason, count] of Object.entries(exits)) {
    to.add('bulkhead_service_exits_total', count, { ...service, reason });
  }
  to.add('bulkhead_service_start_time_seconds', startedAt && startedAt / 1000, service);
  to.add('bulkhead_service_cpu_seconds_total', cpuSeconds, service);
  if (load) {
    to.add('bulkhead_service_resident_memory_bytes', load.residentBytes, service);
    to.add('bulkhead_service_open_fds', load.openFiles, service);
    to.add('bulkhead_service_threads', load.threads, service);
    to.add('bulkhead_service_processes', load.processes, service);
  }
  if (!checks) return;
  const bounds = CHECK_BUCKETS.map((ms) => ms / 1000);
  to.addHistogram('bulkhead_check_duration_seconds', bounds, checks.counts, checks.sum / 1000, service);
  to.add('bulkhead_check_results_total', checks.passed, { ...service, result: 'passed' });
  to.add('bulkhead_check_results_total', checks.failed, { ...service, result: 'failed' });
}

function addSchedule(to: Samples, { name, lastRun, lastSuccess, nextRun, missed }: ScheduleStatus): void {
  const schedule = { schedule: name };
  to.add('bulkhead_schedule_last_run_timestamp_seconds', secondsOf(lastRun?.endedAt), schedule);
  to.add('bulkhead_schedule_failed', lastRun?.ok === false, schedule);
  to.add('bulkhead_schedule_last_success_timestamp_seconds', secondsOf(lastSuccess), schedule);
  to.add('bulkhead_schedule_next_run_timestamp_seconds', secondsOf(nextRun), schedule);
  to.add('bulkhead_schedule_missed_total', missed ?? 0, schedule);
}

/** Of an ISO 8601 time, since the epoch. */
function secondsOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time) / 1000;
}
