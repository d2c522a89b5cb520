import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { dashboardText } from '../../src/metrics/dashboard.ts';
import { METRICS } from '../../src/metrics/table.ts';

test('the dashboard is that of the table: run `npm run schema` where it is not', () => {
  const path = new URL('../../docker/grafana/dashboard.json', import.meta.url);
  expect(readFileSync(path, 'utf8')).toBe(dashboardText());
});

test('it asks only for metrics there are, and lays no panel over another', () => {
  const { panels } = JSON.parse(dashboardText());
  const places = panels.map(({ gridPos: { x, y } }: { gridPos: { x: number; y: number } }) => `${x} ${y}`);
  expect(new Set(places).size).toBe(panels.length);
  for (const { type, targets } of panels) {
    if (type === 'row') continue;
    const [{ expr }] = targets;
    const names = [...expr.matchAll(/bulkhead_[a-z_]+/g)].map(([name]) => name.replace(/_bucket$/, ''));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(Object.keys(METRICS)).toContain(name);
    expect(expr).not.toMatch(/\$name|,\}/);
  }
});
