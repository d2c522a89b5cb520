/** Samples as text, in the format the scraper asks for; escaping and both formats are prom-client's. */
import { type PrometheusContentType, Registry } from 'prom-client';
import type { Samples } from './samples.ts';
import { METRICS } from './table.ts';

export interface Exposition {
  readonly type: string;
  readonly text: string;
}

/** @param accept the header of the request: OpenMetrics where it is named, else Prometheus' text format 0.0.4 */
export async function expose(samples: Samples, accept: string | undefined): Promise<Exposition> {
  const isOpen = wantsOpenMetrics(accept);
  const type = isOpen ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
  // One for each scrape: in OpenMetrics it renames the counters it holds.
  const registry = new Registry();
  registry.setContentType(type as PrometheusContentType);
  for (const [name, values] of samples.families()) {
    const { type: kind, help } = METRICS[name];
    const family = { name: name as string, help, type: kind, values, aggregator: 'sum' };
    // Its own metrics count; ours are counted elsewhere, so only what it reads of one is made here.
    registry.registerMetric({
      name,
      type: kind,
      get: async () =>
        isOpen && kind === 'counter' ? { ...family, name: name.replace(/_total$/, '') } : family,
    } as never);
  }
  return { type, text: await registry.metrics() };
}

/** `q=0` is a no; otherwise who names it can read it. */
function wantsOpenMetrics(accept = ''): boolean {
  return accept
    .split(',')
    .some(
      (each) =>
        /^\s*application\/openmetrics-text\s*(;|$)/i.test(each) && !/;\s*q=0(\.0*)?\s*(;|$)/i.test(each),
    );
}
