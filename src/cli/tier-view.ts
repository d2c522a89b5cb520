/** The tiers of a folder of plans, each with what it adds to the one before. Pure. */
import { formatSize } from '../base/size.ts';
import type { Plan } from '../config/plan.ts';

export interface TierView {
  readonly tier: string;
  /** What the tier before has not; schedules that are off with why. */
  readonly adds: {
    readonly services: readonly string[];
    readonly jobs: readonly string[];
    readonly schedules: readonly { readonly name: string; readonly off: string | undefined }[];
  };
  /** Bytes of memory of its own, idle, as measured; undefined: it is no tier of ours. */
  readonly idleBytes: number | undefined;
}

/** PSS of all processes, a minute after the boot, of the shipped app with 16,765 rows; amd64, limit 4 GB, 2 processors. */
export const MEASURED = {
  on: '2026-11-21',
  idleMegabytes: { core: 107, scraper: 167, full: 168 } as Readonly<Record<string, number>>,
};

/** @param plans in the order of the tiers, each containing the one before */
export function viewTiers(plans: readonly Plan[]): TierView[] {
  return plans.map((plan, index) => {
    const before = plans[index - 1];
    const known = (names: readonly { readonly name: string }[] = []) =>
      new Set(names.map(({ name }) => name));
    const runs = known(before?.runs);
    const jobs = known(before?.attempts);
    const schedules = known(before?.schedules);
    const megabytes = MEASURED.idleMegabytes[plan.tier];
    return {
      tier: plan.tier,
      adds: {
        services: plan.runs
          .filter(({ kind, name }) => kind === 'service' && !runs.has(name))
          .map(({ name }) => name),
        jobs: plan.attempts.map(({ name }) => name).filter((name) => !jobs.has(name)),
        schedules: plan.schedules
          .filter(({ name }) => !schedules.has(name))
          .map(({ name, off }) => ({ name, off })),
      },
      idleBytes: megabytes === undefined ? undefined : megabytes * 1024 * 1024,
    };
  });
}

/** Lines for people; `chosen`: the tier that runs, or that would. */
export function renderTiers(views: readonly TierView[], chosen: string): string[] {
  const width = Math.max(...views.map(({ tier }) => tier.length));
  return views.flatMap((view, index) => {
    const mark = view.tier === chosen ? '▶' : ' ';
    const { services, jobs } = view.adds;
    const schedules = view.adds.schedules.map(({ name, off }) =>
      off === undefined ? name : `${name} (off)`,
    );
    const lines = [
      ...(services.length > 0 ? [`services ${services.join(', ')}`] : []),
      ...(jobs.length > 0 ? [`jobs ${jobs.join(', ')}`] : []),
      ...(schedules.length > 0 ? [`schedules ${schedules.join(', ')}`] : []),
      ...(view.idleBytes === undefined ? [] : [`about ${formatSize(view.idleBytes)} of memory, idle`]),
    ];
    const name = `${mark} ${view.tier.padEnd(width)}  ${index === 0 ? '' : '+ '}`;
    const indent = ' '.repeat(name.length);
    return lines.map((line, at) => `${at === 0 ? name : indent}${line}`);
  });
}
