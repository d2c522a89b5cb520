import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Plan } from '../../src/config/plan.ts';
import { readPlan } from '../../src/config/read-plan.ts';
import { tellTierChange } from '../../src/supervisor/tier-change.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'bulkhead-tier-'));
  mkdirSync(join(dataDir, 'bulkhead'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const CORE = 'version: 1\nservices: { app: { command: [a] } }\n';
const MORE = `${CORE}jobs: { scrape: { command: [s] } }\nschedules: { care: { cron: "@daily", command: [c] }, off: { cron: "", command: [c] } }\n`;

function planOf(tier: string, text: string): Plan {
  const { plan } = readPlan({
    flags: { config: '/plan.yaml', tier, data: dataDir },
    env: {},
    readFile: (path) => (path === '/plan.yaml' ? text : undefined),
    root: false,
    runDir: '/run/bulkhead',
  });
  if (!plan) throw new Error('the plan of the test has problems');
  return plan;
}

test('a lower tier on the same volume says once what is off', () => {
  expect(tellTierChange(planOf('full', MORE))).toBeUndefined();
  expect(tellTierChange(planOf('full', MORE))).toBeUndefined();
  expect(tellTierChange(planOf('core', CORE))).toBe(
    'tier core instead of full: worker, api, 1 job and 1 schedule of before are off, what they keep on the volume stays; BULKHEAD_TIER=full brings them back',
  );
  expect(tellTierChange(planOf('core', CORE))).toBeUndefined();
  expect(tellTierChange(planOf('full', MORE))).toBe(
    'tier full instead of core: all that ran before runs, and more',
  );
});

test('what it remembers may be damaged, or not be written', () => {
  writeFileSync(join(dataDir, 'bulkhead', 'tier.json'), '{"tier":"full"');
  expect(tellTierChange(planOf('core', CORE))).toBeUndefined();
  rmSync(join(dataDir, 'bulkhead'), { recursive: true });
  expect(tellTierChange(planOf('full', MORE))).toBeUndefined();
});
