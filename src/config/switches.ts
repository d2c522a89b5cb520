/** BULKHEAD_ENABLE, BULKHEAD_DISABLE and BULKHEAD_ONLY: which runs of the files run at all. */
import { suggestWord } from '../base/suggest.ts';
import type { Draft } from './build-run.ts';
import { DATABASE_RUNS } from './database-runs.ts';
import type { Problems } from './problems.ts';
import type { Variables } from './variables.ts';

export interface SwitchSource {
  readonly tier: string;
  readonly hasDatabase: boolean;
  /** Names of the schedules, which may be switched as well. */
  readonly schedules: readonly string[];
  readonly variables: Variables;
  readonly problems: Problems;
  /** The tier whose file holds a service that this plan lacks. */
  tierOf(service: string): string | undefined;
}

/** Why runs are off, by name, in words for people. DISABLE beats the rest. */
export function readSwitches(drafts: readonly Draft[], source: SwitchSource): ReadonlyMap<string, string> {
  const runs = drafts.flatMap(({ run }) => [run.name, run.replicaOf ?? run.name]);
  const names = [...new Set([...runs, ...source.schedules])];
  const enable = readList('BULKHEAD_ENABLE', names, source);
  const disable = readList('BULKHEAD_DISABLE', names, source);
  const only = readList('BULKHEAD_ONLY', names, source);
  const off = new Map<string, string>();
  for (const { run, profiles, off: why } of drafts) {
    const name = switchOf(run.name, source.hasDatabase);
    const isIn = (list: ReadonlySet<string>): boolean => list.has(name) || list.has(run.replicaOf ?? name);
    if (disable.has(run.name) || isIn(disable)) off.set(run.name, 'switched off by BULKHEAD_DISABLE');
    else if (only.size > 0 && !isIn(only)) off.set(run.name, 'not named by BULKHEAD_ONLY');
    else if (profiles.length > 0 && !profiles.includes(source.tier) && !isIn(enable) && !isIn(only)) {
      off.set(run.name, `only in profile ${profiles.join(', ')}`);
    } else if (why !== undefined && !isIn(enable) && !isIn(only)) off.set(run.name, why);
  }
  return off;
}

/** Why a schedule is off by its name. */
export function switchedOff(schedule: string, variables: Variables): string | undefined {
  return listed(variables.value('BULKHEAD_DISABLE')).has(schedule)
    ? 'switched off by BULKHEAD_DISABLE'
    : undefined;
}

function listed(text: string | undefined): Set<string> {
  const names = (text ?? '').split(',').map((name) => name.trim());
  return new Set(names.filter((name) => name !== ''));
}

/** The boot order of the database goes on and off as one. */
function switchOf(name: string, hasDatabase: boolean): string {
  return hasDatabase && DATABASE_RUNS.some((one) => one === name) ? 'database' : name;
}

function readList(variable: string, names: readonly string[], source: SwitchSource): Set<string> {
  const { variables, problems, hasDatabase, tierOf } = source;
  const text = variables.value(variable) ?? '';
  const given = listed(text);
  const outside = { outside: 'environment', source: `${variable}=${text}` };
  for (const name of given) {
    if (hasDatabase && (name === 'cluster' || name === 'setup')) {
      problems.error(
        outside,
        'bad-switch',
        `${variable}: ${name} is a part of database and cannot be switched by itself`,
        { suggestion: 'name database' },
      );
    }
    if (names.includes(name)) continue;
    const tier = tierOf(name);
    const meant = suggestWord(name, names);
    problems.error(outside, 'unknown-service', `${variable} names "${name}", which this tier has not`, {
      suggestion:
        tier !== undefined
          ? `it is in tier ${tier}: set BULKHEAD_TIER=${tier}`
          : meant === undefined
            ? undefined
            : `did you mean "${meant}"?`,
      note: `services here: ${names.join(', ') || 'none'}`,
    });
  }
  return given;
}
