/** A plan as flat lines, in the words one would write: what `config show` prints and what two plans are compared by. */

import { formatSize } from '../base/size.ts';
import { alertsLines } from './alert-words.ts';
import { backupLines } from './backup-words.ts';
import { confinementLines } from './confine-words.ts';
import { nameServer } from './external-url.ts';
import { apiLines, jobTypeLines, queueLines } from './job-lines.ts';
import { logsLines } from './log-words.ts';
import type { Plan } from './plan.ts';
import type { AttemptPlan, JobsPlan } from './plan-jobs.ts';
import type { PlanLine } from './plan-line.ts';
import type { ProbePlan, ReadyPlan, RestartPlan, RunPlan } from './plan-runs.ts';
import type { SchedulePlan } from './plan-schedules.ts';
import type { Text } from './plan-text.ts';
import { isSecretName, MASK } from './secrets.ts';
import { formatWritten } from './written.ts';

/** The plan apart from its runs. */
export function settingLines(plan: Plan): PlanLine[] {
  const lines: [string, unknown][] = [
    ['name', plan.name],
    ['tier', plan.tier],
    ['data', plan.dataDir],
    ['stop_timeout', formatWritten(plan.stopTimeout)],
    ['log.level', plan.log.level],
    ['log.format', plan.log.format],
    ...logsLines(plan.logs),
    ['ports.probes', plan.ports.probes],
    ['ports.api', plan.ports.api],
    ['token', plan.token === undefined ? undefined : MASK],
  ];
  if (plan.database) {
    const { name, user, password, port, systemUser, importFrom, sample, init, settings, external, mode } =
      plan.database;
    const unset = external ? 'none' : 'generated on first boot';
    lines.push(
      ['database.mode', mode],
      ['database.host', external && nameServer(external)],
      ['database.name', name],
      ['database.user', user],
      ['database.password', password === undefined ? unset : MASK],
      ['database.port', external ? undefined : port],
      ['database.listen', plan.database.listen?.join(', ')],
      ['database.system_user', systemUser],
      ['database.import.from', importFrom],
      ['database.import.mode', plan.database.importMode],
      ['database.import.trusted', plan.database.importTrusted],
      ['database.import.trust_incomplete', plan.database.importTrustsIncomplete],
      ['database.migrate.safety_dump', plan.database.migration?.safetyDump === false ? 'false' : undefined],
      ['database.extensions', plan.database.extensions && JSON.stringify(plan.database.extensions)],
      ['database.sample', sample],
      ['database.init', init.length === 0 ? undefined : JSON.stringify(init)],
      ...Object.entries(settings).map(([key, value]): [string, unknown] => [
        `database.settings.${key}`,
        value,
      ]),
    );
  }
  if (plan.backups) lines.push(...backupLines(plan.backups, MASK));
  if (plan.jobs) lines.push(...jobsLines(plan, plan.jobs));
  lines.push(...apiLines(plan.api, MASK), ...alertsLines(plan.alerts, MASK, runLines));
  for (const schedule of plan.schedules) lines.push(...scheduleLines(schedule));
  return lines
    .filter(([, value]) => value !== undefined)
    .map(([path, value]) => ({ path, value: String(value) }));
}

function jobsLines(plan: Plan, jobs: JobsPlan): [string, string | undefined][] {
  const types = jobs.types.flatMap((type) => {
    const attempt = plan.attempts.find(({ name }) => name === type.name);
    const run = attempt ? runLines(attempt).filter(({ path }) => path !== 'type' && path !== 'critical') : [];
    return [...jobTypeLines(type), ...run.map(({ path, value }): [string, string] => [path, value])].map(
      ([path, value]): [string, string | undefined] => [`jobs.${type.name}.${path}`, value],
    );
  });
  return [...queueLines(jobs, MASK), ...types];
}

function scheduleLines({ name, run, job, ...schedule }: SchedulePlan): [string, string | undefined][] {
  const lines: [string, string | undefined][] = [
    ['cron', schedule.cron === '' ? undefined : schedule.cron],
    ['every', duration(schedule.every)],
    ['time_zone', schedule.timeZone],
    ['off', schedule.off],
    ['overlap', schedule.overlap],
    ['catch_up', String(schedule.catchUp)],
    ['jitter', duration(schedule.jitter || undefined)],
    ['retry_after', duration(schedule.retryAfter)],
    ['job', job?.type],
    ['data', job?.data === undefined ? undefined : JSON.stringify(job.data)],
    ...(run ? runLines(run) : [])
      .filter(({ path }) => path !== 'type' && path !== 'critical')
      .map(({ path, value }): [string, string] => [path === 'start_timeout' ? 'timeout' : path, value]),
  ];
  return lines.map(([path, value]) => [`schedules.${name}.${path}`, value]);
}

/** One run; paths count from the run itself: `command`, `environment.PORT`. */
export function runLines(run: RunPlan | AttemptPlan): PlanLine[] {
  const lines: [string, string | undefined][] = [
    ['type', run.kind],
    ['replica_of', run.replicaOf],
    ['command', run.work.kind === 'command' ? words(run.work.argv) : `bulkhead ${run.work.program}`],
    ['working_dir', run.workingDir],
    ['user', run.user],
    ['folders', run.folders?.join(', ')],
    ['critical', String(run.critical)],
    ...Object.entries(run.environment).map(([name, text]): [string, string] => [
      `environment.${name}`,
      isSecretName(name) && typeof text === 'string' ? MASK : showText(text),
    ]),
    ...run.envFiles.map(({ path, required }): [string, string] => [
      'env_file',
      path + (required ? '' : ' (if it is there)'),
    ]),
    ...Object.entries(run.dependsOn).map(([name, { condition, required }]): [string, string] => [
      `depends_on.${name}`,
      condition + (required ? '' : ' (not required)'),
    ]),
    ...(run.kind === 'service'
      ? serviceLines(run)
      : run.kind === 'task'
        ? ([['retries', String(run.retries)]] as [string, string][])
        : [memoryLine(run.memoryLimit)]),
    ['start_timeout', duration(run.startTimeout ?? limitInside(run))],
    ['success_exit_codes', run.exitCodes?.success.join(', ') || undefined],
    ['fatal_exit_codes', run.exitCodes?.fatal.join(', ') || undefined],
    ['stop', run.stop.rungs.map(({ signal, wait }) => `${signal} ${formatWritten(wait)}`).join(', ')],
    ['nice', run.nice?.toString()],
    ['oom_score_adj', run.oomScoreAdj?.toString()],
    ...confinementLines(run.confinement),
  ];
  return lines.flatMap(([path, value]) => (value === undefined ? [] : [{ path, value }]));
}

function serviceLines(run: Extract<RunPlan, { kind: 'service' }>): [string, string | undefined][] {
  const check = run.healthcheck;
  const { ready } = run;
  return [
    ['ready', ready && showReady(ready)],
    ['watchdog', duration(run.watchdog)],
    memoryLine(run.memoryLimit),
    ['memory_restart', run.memoryRestart === undefined ? undefined : formatSize(run.memoryRestart)],
    ...(check
      ? ([
          [`healthcheck.${check.probe.kind === 'exec' ? 'test' : check.probe.kind}`, showProbe(check.probe)],
          ['healthcheck.interval', formatWritten(check.interval)],
          ['healthcheck.timeout', formatWritten(check.timeout)],
          ['healthcheck.retries', String(check.retries)],
          ['healthcheck.start_period', formatWritten(check.startPeriod)],
          ['healthcheck.start_interval', formatWritten(check.startInterval)],
          ['on_unhealthy', run.onUnhealthy],
        ] as [string, string][])
      : []),
    ['restart', run.restart.policy],
    ...restartLines(run.restart),
  ];
}

function memoryLine(limit: number | undefined): [string, string | undefined] {
  return ['deploy.resources.limits.memory', limit === undefined ? undefined : formatSize(limit)];
}

function restartLines({
  policy,
  initialDelay,
  maxDelay,
  stableAfter,
  giveUp,
}: RestartPlan): [string, string][] {
  if (policy === 'no') return [];
  return [
    ['backoff.initial', formatWritten(initialDelay)],
    ['backoff.max', formatWritten(maxDelay)],
    ['backoff.stable_after', formatWritten(stableAfter)],
    ['backoff.limit', String(giveUp?.limit ?? '0 (never gives up)')],
    ...(giveUp && Number.isFinite(giveUp.window)
      ? [['backoff.window', formatWritten(giveUp.window)] as [string, string]]
      : []),
  ];
}

/** Late values in the notation they were written with. */
function showText(text: Text): string {
  if (typeof text === 'string') return text;
  return text.parts.map((part) => (typeof part === 'string' ? part : `\${${part.late}}`)).join('');
}

function words(argv: readonly Text[]): string {
  return JSON.stringify(argv.map(showText)).replaceAll('","', '", "');
}

function showReady(ready: ReadyPlan): string {
  if (ready.kind === 'notify' || ready.kind === 'ipc') return ready.kind;
  return ready.kind === 'fd' ? `fd ${ready.fd}` : `log ${ready.pattern.source}`;
}

function showProbe(probe: ProbePlan): string {
  if (probe.kind === 'http') return showText(probe.url);
  if (probe.kind === 'exec') return words(probe.argv);
  const others = probe.kind === 'postgres' ? (probe.others ?? []) : [];
  return [probe, ...others].map(({ host, port }) => `${host}:${port}`).join(', ');
}

/** The limit that the program between us and the command keeps. */
function limitInside({ work }: Pick<RunPlan, 'work'>): number | undefined {
  return work.kind === 'command' ? work.through?.timeout : undefined;
}

function duration(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatWritten(ms);
}
