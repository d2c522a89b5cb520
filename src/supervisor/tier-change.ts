/** A volume that served another tier before: what is no longer run is said once, and that it is kept. */
import { readFileSync } from 'node:fs';
import type { Plan } from '../config/plan.ts';
import { writeFileAtomic } from '../system/write-file-atomic.ts';

/** What a plan runs, by name. */
interface Parts {
  readonly tier: string;
  readonly services: readonly string[];
  readonly jobs: readonly string[];
  readonly schedules: readonly string[];
}

/**
 * "tier core instead of full: worker, api, 4 jobs and 9 schedules are off …", where another tier was started last and
 * something of it is missing; then what runs now is what is remembered. Never throws: it is a word, not a condition.
 */
export function tellTierChange(plan: Plan): string | undefined {
  const file = `${plan.dataDir}/bulkhead/tier.json`;
  const now = partsOf(plan);
  const before = readParts(file);
  const text = `${JSON.stringify(now)}\n`;
  if (JSON.stringify(before) !== JSON.stringify(now)) {
    try {
      writeFileAtomic(file, text, { mode: 0o644 });
    } catch {
      // Told again at the next start.
    }
  }
  return before === undefined || before.tier === now.tier ? undefined : describeChange(before, now);
}

function describeChange(before: Parts, now: Parts): string {
  const services = missing(before.services, now.services);
  const jobs = missing(before.jobs, now.jobs);
  const schedules = missing(before.schedules, now.schedules);
  const off = [
    ...services,
    ...(jobs.length > 0 ? [count(jobs.length, 'job')] : []),
    ...(schedules.length > 0 ? [count(schedules.length, 'schedule')] : []),
  ];
  if (off.length === 0)
    return `tier ${now.tier} instead of ${before.tier}: all that ran before runs, and more`;
  const last = off.pop();
  const list = off.length === 0 ? last : `${off.join(', ')} and ${last}`;
  return `tier ${now.tier} instead of ${before.tier}: ${list} of before are off, what they keep on the volume stays; BULKHEAD_TIER=${before.tier} brings them back`;
}

function partsOf({ tier, runs, attempts, schedules }: Plan): Parts {
  return {
    tier,
    services: runs.filter(({ kind }) => kind === 'service').map(({ name }) => name),
    jobs: attempts.map(({ name }) => name),
    schedules: schedules.filter(({ off }) => off === undefined).map(({ name }) => name),
  };
}

function readParts(file: string): Parts | undefined {
  try {
    const found = JSON.parse(readFileSync(file, 'utf8')) as Parts;
    const lists = [found.services, found.jobs, found.schedules];
    return typeof found.tier === 'string' && lists.every(Array.isArray) ? found : undefined;
  } catch {
    return undefined;
  }
}

function missing(before: readonly string[], now: readonly string[]): string[] {
  return before.filter((name) => !now.includes(name));
}

function count(many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`;
}
