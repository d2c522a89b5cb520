import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { prometheusRules } from '../../src/alerts/prometheus.ts';
import { METRICS } from '../../src/metrics/table.ts';

const path = join(import.meta.dirname, '../../docker/prometheus/alerts.yml');

test('the rules of Prometheus are those of the table, and ask for metrics that are there', () => {
  expect(readFileSync(path, 'utf8'), 'npm run schema').toBe(prometheusRules());
  const { groups } = parse(prometheusRules());
  const rules: { alert: string; expr: string }[] = groups[0].rules;
  const asked = rules.flatMap(({ expr }) => expr.match(/bulkhead_\w+/g) ?? []);
  expect(rules.length).toBeGreaterThan(8);
  expect(asked.filter((name) => !Object.hasOwn(METRICS, name))).toEqual([]);
});
