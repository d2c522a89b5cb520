/** The jobs of a plan as flat lines, in the words one would write. */
import type { ApiPlan, JobsPlan, JobTypePlan } from './plan-jobs.ts';
import { formatWritten } from './written.ts';

type Line = [string, string | undefined];

/** `mask` stands for secrets. */
export function queueLines(jobs: JobsPlan, mask: string): Line[] {
  const lines: Line[] = [
    ['store', jobs.store],
    ['redis_url', jobs.redisUrl === undefined ? undefined : mask],
    ['prefix', jobs.store === 'redis' ? jobs.prefix : undefined],
    ['require_durable', String(jobs.requireDurable)],
    ['concurrency', String(jobs.concurrency)],
    ['max_waiting', String(jobs.maxWaiting)],
    ['keep.completed', formatWritten(jobs.keep.completed)],
    ['keep.failed', formatWritten(jobs.keep.failed)],
    ['keep.most', String(jobs.keep.most)],
    ['drain', formatWritten(Math.round(jobs.drain))],
    ['user', jobs.user],
  ];
  return lines.map(([path, value]) => [`queue.${path}`, value]);
}

/** What the worker goes by; how an attempt runs is told as of any run. */
export function jobTypeLines(type: JobTypePlan): Line[] {
  return [
    ['concurrency', String(type.concurrency)],
    ['timeout', type.timeout === undefined ? '0 (no limit)' : formatWritten(type.timeout)],
    ['retries', String(type.retries)],
    ['retry_delay', formatWritten(type.retryDelay)],
    ['retry_delay_max', formatWritten(type.retryDelayMax)],
    ['priority', String(type.priority)],
    ['singleton', String(type.singleton)],
    ['requires', type.requires.join(', ') || undefined],
  ];
}

/** `mask` stands for secrets. */
export function apiLines(api: ApiPlan | undefined, mask: string): Line[] {
  if (api === undefined) return [];
  return [
    ['api.host', api.host],
    ['api.allowed_hosts', api.allowedHosts.length === 0 ? undefined : JSON.stringify(api.allowedHosts)],
    ['api.read_only', String(api.readOnly)],
    ...api.tokens.flatMap(({ name, role }): Line[] => [
      [`api.tokens.${name}.role`, role],
      [`api.tokens.${name}.token`, mask],
    ]),
    ['api.user', api.user],
    ['metrics.enabled', String(api.metrics !== undefined)],
    ['metrics.app', api.metrics?.app],
  ];
}
