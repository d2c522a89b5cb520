/** Values under way to an exposition: collectors add, and whatever is no number is left out. */
import { METRICS, type MetricName } from './table.ts';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly value: number;
  readonly labels: Labels;
  /** With the suffix of a histogram's series. */
  readonly metricName?: string;
}

export class Samples {
  readonly #all = new Map<MetricName, Map<string, Sample>>();

  add(name: MetricName, value: number | boolean | undefined, labels: Labels = {}): void {
    if (value === undefined) return;
    this.#put(name, { value: Number(value), labels });
  }

  /**
   * @param bounds upper ones, in seconds
   * @param counts one more than bounds, each without those before it
   * @param sum in seconds
   */
  addHistogram(
    name: MetricName,
    bounds: readonly number[],
    counts: readonly number[],
    sum: number,
    labels: Labels = {},
  ): void {
    let total = 0;
    for (const [index, bound] of [...bounds, '+Inf'].entries()) {
      total += counts[index] ?? 0;
      this.#put(name, {
        value: total,
        labels: { ...labels, le: String(bound) },
        metricName: `${name}_bucket`,
      });
    }
    this.#put(name, { value: sum, labels, metricName: `${name}_sum` });
    this.#put(name, { value: total, labels, metricName: `${name}_count` });
  }

  /** In the order of the table. */
  *families(): Iterable<readonly [name: MetricName, samples: readonly Sample[]]> {
    for (const name of Object.keys(METRICS) as MetricName[]) {
      const samples = this.#all.get(name);
      if (samples !== undefined) yield [name, [...samples.values()]];
    }
  }

  /** A series that is told twice would make the whole scrape void: the last one counts. */
  #put(name: MetricName, sample: Sample): void {
    if (!Number.isFinite(sample.value)) return;
    const key = JSON.stringify([sample.metricName, sample.labels]);
    const family = this.#all.get(name) ?? new Map<string, Sample>();
    family.set(key, sample);
    this.#all.set(name, family);
  }
}
