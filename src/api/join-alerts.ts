/** The room of alerts beside the API, with what it needs of the world. Loaded only where the plan has alerts. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type AlertsRoom, openAlerts } from '../alerts/alerts.ts';
import { type Handout, type Posted, post } from '../alerts/post.ts';
import { messageOf } from '../base/errors.ts';
import type { AlertsPlan } from '../config/plan-alerts.ts';
import type { Job } from '../program/job.ts';
import type { ToldAnswer } from '../protocol/alerts.ts';
import type { Assignment } from '../protocol/channel.ts';
import type { LogLine } from '../protocol/control.ts';
import type { ProductStatus } from '../protocol/status.ts';
import { systemClock } from '../system/clock.ts';
import type { Operate } from './operate.ts';

const LOG_LINES = 10;
const LONGEST_LINE = 500;
const LOG_PATIENCE_MS = 2000;

export function joinAlerts(
  { assignment, report, say }: Pick<Job, 'assignment' | 'report' | 'say'>,
  plan: AlertsPlan,
  operate: Operate,
): AlertsRoom {
  const { dataDir, jobs, secrets, api } = assignment;
  return openAlerts(withSecrets(plan, secrets), {
    clock: systemClock,
    dataDir,
    concurrency: jobs?.concurrency ?? 0,
    status: () => operate.get<ProductStatus>('/v1/status'),
    lastLines: (service) => readLastLines(operate, service).catch(() => []),
    post: (outgoing) => post(outgoing, () => Date.now()),
    hand: (handout) => handOver(operate, handout),
    random: () => Math.random(),
    newId: () => randomUUID().slice(0, 8),
    name: plan.product,
    host: hostname(),
    url: `http://${hostname()}:${api?.port ?? 9701}/alerts`,
    secrets: Object.values(secrets),
    say,
    reportWorst: (reason) => report({ type: 'alerts', reason }),
  });
}

/** Addresses and secrets come apart from the plan, as every secret does. */
function withSecrets(plan: AlertsPlan, secrets: Assignment['secrets']): AlertsPlan {
  return {
    ...plan,
    sinks: plan.sinks.map((sink) => ({
      ...sink,
      url: secrets[`alerts.${sink.name}.url`] ?? '',
      secret: secrets[`alerts.${sink.name}.secret`],
    })),
  };
}

async function readLastLines(operate: Operate, service: string): Promise<readonly string[]> {
  const query = new URLSearchParams({ service, tail: String(LOG_LINES) });
  const over = AbortSignal.timeout(LOG_PATIENCE_MS);
  const lines: string[] = [];
  for await (const { line } of await operate.lines<LogLine>(`/v1/logs?${query}`, over)) {
    lines.push(line.slice(0, LONGEST_LINE));
  }
  return lines.slice(-LOG_LINES);
}

/** PID 1 starts the command, as the user of the plan, and ends it where it takes too long. */
async function handOver(operate: Operate, handout: Handout): Promise<Posted> {
  try {
    const { ok, error } = await operate.postLong<ToldAnswer>(
      '/v1/alerts/tell',
      handout,
      new AbortController().signal,
      'sink',
    );
    return { ok, error, retryAfter: undefined };
  } catch (error) {
    return { ok: false, error: messageOf(error), retryAfter: undefined };
  }
}
