/** Looks at a container as those do who watch it: a balancer at /health and /readyz, a Prometheus at /metrics. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthReport } from '../../src/supervisor/health/report.ts';
import type { Container } from '../../test/image/container.ts';
import { TOKEN } from '../../test/image/jobs.ts';

export interface Health {
  /** Of /readyz; 0: nobody answers. */
  readonly ready: number;
  readonly status: string;
  readonly output: string;
}

export interface Seen<Value> {
  /** ms of performance.now() */
  readonly at: number;
  readonly value: Value;
}

export interface Watch {
  /** Every change since it looks, the newest last. */
  readonly health: readonly Seen<Health>[];
  /** The last answer of /metrics; undefined: there was none. */
  metrics(): Seen<string> | undefined;
  stop(): Promise<void>;
}

const HEADERS = { authorization: `Bearer ${TOKEN}` };
const PATIENCE_MS = 5000;
const HEALTH_EVERY_MS = 200;
const METRICS_EVERY_MS = 1000;

export function watch({ ports }: Container): Watch {
  const health: Seen<Health>[] = [];
  let metrics: Seen<string> | undefined;
  let isOver = false;

  async function lookAtHealth(): Promise<void> {
    while (!isOver) {
      const [ready, report] = await Promise.all([
        ask(`http://127.0.0.1:${ports.probes}/readyz`),
        ask(`http://127.0.0.1:${ports.probes}/health`),
      ]);
      const told: HealthReport | undefined = report.text === '' ? undefined : JSON.parse(report.text);
      const { status, output } = { status: told?.status ?? 'no answer', output: told?.output ?? '' };
      const value = { ready: ready.code, status, output };
      const last = health.at(-1)?.value;
      if (last?.ready !== value.ready || last.status !== status || last.output !== output)
        health.push({ at: performance.now(), value });
      await sleep(HEALTH_EVERY_MS);
    }
  }

  async function lookAtMetrics(): Promise<void> {
    while (!isOver) {
      const { code, text } = await ask(`http://127.0.0.1:${ports.api}/metrics`);
      metrics = code === 200 ? { at: performance.now(), value: text } : undefined;
      await sleep(METRICS_EVERY_MS);
    }
  }

  const looking = Promise.all([lookAtHealth(), lookAtMetrics()]);
  return {
    health,
    metrics: () => metrics,
    stop: async () => {
      isOver = true;
      await looking;
    },
  };
}

async function ask(url: string): Promise<{ code: number; text: string }> {
  try {
    const response = await fetch(url, { headers: HEADERS, signal: AbortSignal.timeout(PATIENCE_MS) });
    return { code: response.status, text: await response.text() };
  } catch {
    return { code: 0, text: '' };
  }
}

/**
 * The sum of the samples that begin with this name and have these labels; undefined: there is none.
 * @param sample `bulkhead_jobs{state="created"}`
 */
export function sumOf(exposition: string, sample: string): number | undefined {
  const [, name = sample, labels = ''] = /^([^{]+)(?:\{(.*)\})?$/.exec(sample) ?? [];
  const wanted = labels === '' ? [] : labels.split(',');
  const values = exposition
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => wanted.every((label) => line.includes(label)))
    .map((line) => Number(/\s(\S+)$/.exec(line)?.[1]));
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}
