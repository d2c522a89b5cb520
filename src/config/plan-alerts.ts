/** What is told, when, and to whom. Durations in milliseconds. */
import type { RuleName, Severity } from './alert-rules.ts';
import type { TaskPlan } from './plan-runs.ts';
import type { SchedulePlan } from './plan-schedules.ts';

export interface AlertsPlan {
  /** Name of the product. */
  readonly product: string;
  /** Every rule; those that are off are left out. */
  readonly rules: readonly RulePlan[];
  readonly sinks: readonly SinkPlan[];
  /** Names of those that are off, for their address is empty. */
  readonly sinksOff: readonly string[];
  /** After so long what still fires is told again. */
  readonly repeat: number;
  /** Schedules that make or prove backups, by the command they run. */
  readonly backups: readonly Pick<SchedulePlan, 'name' | 'cron' | 'every' | 'timeZone'>[];
}

export interface RulePlan {
  readonly name: RuleName;
  readonly severity: Severity;
  readonly threshold: number;
  readonly for: number;
  /** How long it must be well again before it is over. */
  readonly keep: number;
}

export const SINK_TYPES = ['webhook', 'alertmanager', 'slack', 'sentry', 'heartbeat', 'exec'] as const;

export interface SinkPlan {
  readonly name: string;
  readonly type: (typeof SINK_TYPES)[number];
  /** A secret: many an address is the right to write to it. Empty where `run` is told. */
  readonly url: string;
  /** What messages are signed with. */
  readonly secret: string | undefined;
  readonly minSeverity: Severity;
  /** Of a heartbeat: what it tells. */
  readonly after: 'well' | 'backup';
  /** Of a heartbeat that tells that all is well. */
  readonly interval: number;
  /** Of `exec`: what PID 1 starts for each message, and how long that may take (`startTimeout`). */
  readonly run?: TaskPlan;
}
