import { countProblems, type FormatOptions, formatProblems } from './format-problems.ts';
import type { PlanReading } from './read-plan.ts';

/**
 * What `config check` prints: problems and warnings in full, or what the plan will run, with the one default
 * in which we differ from Compose where a plan relies on it.
 */
export function describeCheck(reading: PlanReading, options: FormatOptions): string {
  const told = formatProblems([...(reading.problems ?? []), ...reading.warnings], options);
  if (!reading.plan) return told;
  const { plan, provenance } = reading;
  const names = (kind: 'service' | 'task'): string =>
    plan.runs
      .filter((run) => run.kind === kind)
      .map(({ name }) => name)
      .join(', ') || 'none';
  const lines = [
    `${provenance.files[0]}: tier ${plan.tier} is well${reading.warnings.length > 0 ? `, with ${countProblems(reading.warnings)}` : ''}`,
    `services: ${names('service')}`,
    `tasks:    ${names('task')}`,
    ...(plan.jobs ? [`jobs:     ${plan.jobs.types.map(({ name }) => name).join(', ')}`] : []),
    ...plan.disabled.map(({ name, why }) => `off:      ${name}, ${why}`),
  ];
  const silent = plan.runs.filter(
    ({ name, kind, work }) =>
      kind === 'service' && work.kind === 'command' && !provenance.origins.has(`services.${name}.restart`),
  );
  if (silent.length > 0) {
    lines.push(
      `note: restart is always where nothing is said (in Compose it is no): ${[...new Set(silent.map(({ name, replicaOf }) => replicaOf ?? name))].join(', ')}`,
    );
  }
  return `${told === '' ? '' : `${told}\n`}${lines.join('\n')}\n`;
}
