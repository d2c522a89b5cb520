/** Dependencies across runs: everything named must be there, on, of the right kind, and never wait for itself. */
import { findCycles } from '../base/graph.ts';
import { suggestWord } from '../base/suggest.ts';
import type { Draft } from './build-run.ts';
import { expandDatabaseDependency } from './database-runs.ts';
import type { Place } from './located.ts';
import type { Dependency, RunPlan } from './plan-runs.ts';
import type { Problems } from './problems.ts';
import { keyPlaceAt, valueAt } from './tree.ts';

export interface DependencySource {
  readonly hasDatabase: boolean;
  /** Names of runs that are off, and why. */
  readonly off: ReadonlyMap<string, string>;
  readonly problems: Problems;
  tierOf(service: string): string | undefined;
}

/** The runs that are on, with dependencies checked, those on the database spelt out, and optional missing ones gone. */
export function settleDependencies(drafts: readonly Draft[], source: DependencySource): RunPlan[] {
  const on = new Map(
    drafts.filter(({ run }) => !source.off.has(run.name)).map((draft) => [draft.run.name, draft]),
  );
  const all = new Map(drafts.map((draft) => [draft.run.name, draft]));
  refuseCycles(all, source.problems);
  const names = new Set(on.keys());
  return [...on.values()].map((draft) => {
    const dependsOn: Record<string, Dependency> = {};
    for (const [name, dependency] of Object.entries(draft.run.dependsOn)) {
      const target = on.get(name);
      if (!target) refuseMissing(draft, name, dependency, all, source);
      else if (
        draft.run.work.kind !== 'program' &&
        name === 'database' &&
        source.hasDatabase &&
        draft.run.name !== 'migrate'
      ) {
        checkCondition(draft, target, dependency, source.problems);
        Object.assign(dependsOn, expandDatabaseDependency(dependency, names));
      } else {
        checkCondition(draft, target, dependency, source.problems);
        dependsOn[name] = dependency;
      }
    }
    return { ...draft.run, dependsOn };
  });
}

function placeOfDependency({ at }: Draft, name: string): Place {
  return keyPlaceAt(at, 'depends_on', name);
}

function refuseMissing(
  draft: Draft,
  name: string,
  { required }: Dependency,
  all: ReadonlyMap<string, Draft>,
  source: DependencySource,
): void {
  const { problems, off, tierOf } = source;
  if (!required) return;
  const from = `services.${draft.run.name}`;
  const place = placeOfDependency(draft, name);
  const why = off.get(name);
  if (why !== undefined) {
    const remedy = why.includes('ONLY')
      ? `add ${name} to BULKHEAD_ONLY`
      : why.includes('DISABLE')
        ? `take ${name} out of BULKHEAD_DISABLE, or add ${draft.run.name} to it`
        : `set BULKHEAD_ENABLE=${name}`;
    problems.error(place, 'dependency-off', `${from} depends on ${name}, which is off: ${why}`, {
      suggestion: remedy,
    });
    return;
  }
  const tier = tierOf(name);
  if (tier !== undefined) {
    problems.error(place, 'dependency-outside', `${from} depends on ${name}, which is not in this tier`, {
      suggestion: `it is in tier ${tier}: set BULKHEAD_TIER=${tier}`,
    });
    return;
  }
  const others = [...all.keys()].filter((other) => other !== draft.run.name);
  const isDatabase = source.hasDatabase && /^(db|pg|postgres|postgresql|postgres-?db)$/i.test(name);
  const meant = isDatabase ? 'database' : suggestWord(name, others);
  problems.error(place, 'dependency-missing', `${from} depends on ${name}, but there is no such service`, {
    suggestion: meant === undefined ? undefined : `did you mean "${meant}"?`,
    note: others.length === 0 ? undefined : `services here: ${others.join(', ')}`,
  });
}

function checkCondition(draft: Draft, target: Draft, { condition }: Dependency, problems: Problems): void {
  const { run } = target;
  const from = `services.${draft.run.name}`;
  const written =
    valueAt(draft.at, 'depends_on', run.name, 'condition')?.place ?? placeOfDependency(draft, run.name);
  if (condition === 'service_completed_successfully' && run.kind === 'service') {
    problems.error(
      written,
      'condition',
      `${from} waits for ${run.name} to complete, but ${run.name} is a service and never ends`,
      {
        suggestion:
          run.name === 'database'
            ? 'write condition: service_healthy'
            : `add type: task to ${run.name}, or write condition: service_healthy`,
      },
    );
  }
  if (condition !== 'service_healthy') return;
  if (run.kind === 'task') {
    problems.error(
      written,
      'condition',
      `${from} waits for ${run.name} to be healthy, but ${run.name} is a task`,
      {
        suggestion: 'write condition: service_completed_successfully',
      },
    );
  } else if (!run.healthcheck && !run.ready && !(problems.failed && saysWhenHealthy(target))) {
    problems.error(
      written,
      'condition',
      `${from} waits for ${run.name} to be healthy, but nothing says when it is`,
      {
        suggestion: `give ${run.name} a healthcheck or ready, or write condition: service_started`,
      },
    );
  }
}

/** It tries to; what is wrong with it was told already. */
function saysWhenHealthy({ at }: Draft): boolean {
  return valueAt(at, 'healthcheck') !== undefined || valueAt(at, 'ready') !== undefined;
}

function refuseCycles(all: ReadonlyMap<string, Draft>, problems: Problems): void {
  const graph = new Map([...all].map(([name, { run }]) => [name, Object.keys(run.dependsOn)]));
  for (const cycle of findCycles(graph)) {
    const [first = '', second = ''] = cycle;
    const draft = all.get(first);
    if (!draft) continue;
    const place = placeOfDependency(draft, second);
    if (cycle.length === 2)
      problems.error(place, 'dependency-cycle', `services.${first} depends on itself`, {
        suggestion: 'drop this line',
      });
    else {
      problems.error(place, 'dependency-cycle', `these wait for each other for ever: ${cycle.join(' → ')}`, {
        suggestion: 'drop one of these dependencies',
      });
    }
  }
}
