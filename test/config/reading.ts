import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunPlan, ServicePlan } from '../../src/config/plan-runs.ts';
import { type PlanReading, readPlan } from '../../src/config/read-plan.ts';

/** The folder of the shipped tiers. */
export const SHIPPED = join(import.meta.dirname, '../../config');

export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: { tier?: string; config?: string; data?: string };
  /** More files by absolute path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly root?: boolean;
  readonly replicas?: Readonly<Record<string, number>>;
  readonly machine?: { readonly memory: number; readonly cpus: number };
}

/** Reads a plan from a text, as if it stood in /plan.yaml. */
export function readText(text: string, given: Given = {}): PlanReading {
  return readFrom('/plan.yaml', { ...given, files: { ...given.files, '/plan.yaml': text } });
}

/** Reads a folder or file; `files` stand in for the disk, which is asked only where they say nothing. */
export function readFrom(
  config: string,
  { env = {}, flags = {}, files = {}, root = false, replicas = {}, machine }: Given = {},
): PlanReading {
  return readPlan({
    flags: { config, ...flags },
    env,
    root,
    replicas,
    ...(machine && { machine: () => machine }),
    runDir: '/run/bulkhead',
    readFile(path) {
      const given = files[path];
      if (given !== undefined) return given;
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined;
      }
    },
  });
}

/** The plan of a reading that must have worked. */
export function planOf(reading: PlanReading) {
  if (!reading.plan) throw new Error(reading.problems.map(({ message }) => message).join('\n'));
  return reading.plan;
}

export function runOf(reading: PlanReading, name: string): RunPlan {
  const run = planOf(reading).runs.find((one) => one.name === name);
  if (!run) throw new Error(`no run ${name}`);
  return run;
}

export function serviceOf(reading: PlanReading, name: string): ServicePlan {
  const run = runOf(reading, name);
  if (run.kind !== 'service') throw new Error(`${name} is a task`);
  return run;
}

/** `code@line:column` of every problem: what must not move when a message is reworded. */
export function spotsOf(reading: PlanReading): string[] {
  return (reading.problems ?? []).map(({ code, line, column }) => `${code}@${line}:${column}`);
}
