/**
 * Which backups of one kind stay. Pure: what is kept follows from the manifests, the rules and the moment alone, so it
 * can be shown before anything happens. In doubt everything stays.
 */
import type { BackupsPlan } from '../config/plan.ts';
import type { BackupKind, BackupLabel } from '../protocol/backups.ts';
import { whenMade } from './made-at.ts';

export interface Candidate {
  readonly id: string;
  readonly kind: BackupKind;
  /** ISO 8601, of the manifest; never the time of a file. */
  readonly startedAt: string;
  /** Which one of its kind it is, by the order in which they were made; undefined: made before they were numbered. */
  readonly number?: number | undefined;
  /** Verified beyond its files, and whole. */
  readonly proven: boolean;
  readonly broken: boolean;
  readonly pinned: boolean;
  /** The id of one it cannot be restored without. */
  readonly parent?: string | undefined;
  /** Those of one label are judged among themselves: they come when something happens, and not by the clock. */
  readonly label?: BackupLabel | undefined;
}

export interface Verdict {
  readonly id: string;
  readonly keep: boolean;
  /** Why, in words; of one that is kept, every rule that keeps it. */
  readonly reasons: readonly string[];
}

export interface RetentionPlan {
  /** In the order given. */
  readonly verdicts: readonly Verdict[];
  /** Why nothing at all may be removed now; undefined where the rules decide. */
  readonly held: string | undefined;
}

const DAY = 86_400_000;
/** How often one of a kind is expected, at least. */
const PERIOD: Readonly<Record<BackupKind, number>> = { dump: DAY, base: 7 * DAY, assets: DAY, config: DAY };
/** So many after a gap show that backups come again. */
const BACK_AGAIN = 3;

/** A longer time between two, in periods of the kind, may be a jump of the clock. */
const JUMP = 1.5;

/** Of those that come before a migration, the newest three that can be used. */
const LABELLED: BackupsPlan['keep'] = { days: 0, weekly: 0, monthly: 0, verified: 3 };

/**
 * @param candidates of one kind, in any order
 * @param now milliseconds since the epoch
 */
export function planRetention(
  candidates: readonly Candidate[],
  rules: BackupsPlan['keep'],
  now: number,
): RetentionPlan {
  const usual = planAlike(
    candidates.filter(({ label }) => label === undefined),
    rules,
    now,
  );
  const labelled = candidates.filter(({ label }) => label !== undefined);
  if (labelled.length === 0) return usual;
  const others = planAlike(labelled, LABELLED, now);
  const verdicts = new Map([...usual.verdicts, ...others.verdicts].map((each) => [each.id, each]));
  return {
    verdicts: candidates.flatMap(({ id }) => verdicts.get(id) ?? []),
    held: usual.verdicts.length === 0 ? others.held : usual.held,
  };
}

function planAlike(candidates: readonly Candidate[], rules: BackupsPlan['keep'], now: number): RetentionPlan {
  const newestFirst = [...candidates].sort((a, b) => timeOf(b) - timeOf(a) || (a.id < b.id ? 1 : -1));
  const reasons = new Map<string, string[]>();
  const keep = ({ id }: { readonly id: string }, why: string): void => {
    const others = reasons.get(id) ?? [];
    if (!others.includes(why)) reasons.set(id, [...others, why]);
  };
  for (const each of newestFirst) if (each.pinned) keep(each, 'pinned');
  const whole = newestFirst.filter(({ broken }) => !broken);
  const lastFirst = [...newestFirst].sort((a, b) => (b.number ?? 0) - (a.number ?? 0));
  const made = madeOf(lastFirst, now);
  const ages = agesOf(lastFirst, made, now);
  const isYoung = ({ id }: Candidate): boolean => (ages.get(id) ?? 0) <= rules.days * DAY;
  for (const each of newestFirst) {
    if (!isYoung(each)) continue;
    const jumped = now - timeOf(each) > rules.days * DAY;
    keep(each, `not older than ${rules.days} d${jumped ? ', but for a jump of the clock or a silence' : ''}`);
  }
  if (whole[0]) keep(whole[0], 'the newest');
  const last = lastFirst.find(({ broken }) => !broken);
  if (last && last !== whole[0]) keep(last, 'made last');
  // By what their clock said as well: which clock was wrong is not always to be told, and in doubt both keep.
  for (const dated of [whole.map((each) => ({ each, at: timeOf(each) })), made]) {
    keepNewestPer(weekOf, rules.weekly, 'week', dated, keep);
    keepNewestPer((at) => at.toISOString().slice(0, 7), rules.monthly, 'month', dated, keep);
  }
  // By their times, and by the order in which they were made: where the two differ, a clock was wrong.
  for (const list of [newestFirst, lastFirst]) {
    for (const [index, each] of list
      .filter(({ proven, broken }) => proven && !broken)
      .slice(0, rules.verified)
      .entries()) {
      keep(each, index === 0 ? 'the newest verified' : `verified, number ${index + 1}`);
    }
  }
  // A restore to any moment of the window begins at the last base backup before that moment.
  const before = whole.find((each) => each.kind === 'base' && !isYoung(each));
  if (before) keep(before, `the last base before the ${rules.days} d`);
  keepParents(newestFirst, reasons, keep);

  const held = holdBack(made, whole, now);
  const verdicts = candidates.map(({ id, broken }): Verdict => {
    const why = reasons.get(id);
    if (why) return { id, keep: true, reasons: why };
    if (held !== undefined) return { id, keep: true, reasons: [held] };
    return { id, keep: false, reasons: [broken ? 'broken, and old' : 'no rule keeps it'] };
  });
  return { verdicts, held };
}

/**
 * How old each is, in ms, told so that no single jump of the clock makes one old: what the clock says, or the sum of the
 * times between those made since without the longest of them, whichever is less. A clock that is ahead makes one such
 * time long; one that went back and was set right makes one, too, and before it one that is negative and counts nothing.
 * A silence of weeks looks the same, and then everything stays for that much longer. Where the clock has jumped twice, the
 * age by when it was made, as far as that can be told, is often less, and then it counts.
 * @param lastFirst by the order in which they were made
 */
function agesOf(
  lastFirst: readonly Candidate[],
  made: readonly Dated[],
  now: number,
): ReadonlyMap<string, number> {
  const byOrder = new Map(made.map(({ each, at }) => [each.id, now - at]));
  const ages = new Map<string, number>();
  let since = 0;
  let longest = 0;
  let next = now;
  for (const each of lastFirst) {
    const time = timeOf(each);
    const between = Math.max(0, next - time);
    since += between;
    if (between > JUMP * PERIOD[each.kind]) longest = Math.max(longest, between);
    ages.set(each.id, Math.min(now - time, since - longest, byOrder.get(each.id) ?? now - time));
    next = time;
  }
  return ages;
}

/** Why this is no moment to remove anything. */
function holdBack(made: readonly Dated[], whole: readonly Candidate[], now: number): string | undefined {
  const [newest] = whole;
  if (!newest) return 'there is no whole backup';
  if (!whole.some(({ proven }) => proven)) return 'none is verified';
  // As many made since show that it was the clock of then that was wrong, and not that of now.
  const ahead = whole.filter((each) => timeOf(each) > now).map(({ number = 0 }) => number);
  const since = whole.filter(({ number = 0 }) => number > Math.max(...ahead)).length;
  if (ahead.length > 0 && since < Math.max(BACK_AGAIN, ahead.length))
    return 'the clock went back: the newest backup is of the future';
  // By what their clocks said as well: what is spread evenly over a gap hides it.
  const said = whole.map(timeOf).filter((time) => time <= now);
  const times = made.map(({ at }) => at);
  return freshGap(times, PERIOD[newest.kind], now) ?? freshGap(said, PERIOD[newest.kind], now);
}

/** Times from the newest back, now included: after a long silence or a jump of the clock all look old at once. */
function freshGap(newestFirst: readonly number[], period: number, now: number): string | undefined {
  const times = [now, ...newestFirst];
  const gaps = times.slice(1).map((time, index) => (times[index] ?? time) - time);
  const usual = median(gaps.slice(1));
  const longest = 2 * Math.max(period, usual);
  const after = gaps.findIndex((gap) => gap > longest);
  return after >= 0 && after < BACK_AGAIN
    ? `only ${after} since a gap of ${Math.floor((gaps[after] ?? 0) / DAY)} d, ${BACK_AGAIN} are awaited`
    : undefined;
}

function keepNewestPer(
  period: (at: Date) => string,
  count: number,
  word: string,
  newestFirst: readonly Dated[],
  keep: (candidate: Candidate, why: string) => void,
): void {
  const seen = new Set<string>();
  for (const { each, at } of newestFirst) {
    if (seen.size === count) return;
    const key = period(new Date(at));
    if (!seen.has(key)) keep(each, `the newest of ${word} ${key}`);
    seen.add(key);
  }
}

interface Dated {
  readonly each: Candidate;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Those that are whole, newest first. By what a wrong clock said, those of its days would stand for weeks they are not of. */
function madeOf(lastFirst: readonly Candidate[], now: number): readonly Dated[] {
  const whole = lastFirst.filter(({ broken }) => !broken);
  const period = whole[0] ? PERIOD[whole[0].kind] : DAY;
  const times = whenMade(
    whole.map((each) => ({ time: timeOf(each) })),
    now,
    period,
  );
  return whole.map((each, index) => ({ each, at: times[index] ?? now }));
}

/** Until nothing is added: a parent may have one, too. */
function keepParents(
  candidates: readonly Candidate[],
  kept: ReadonlyMap<string, unknown>,
  keep: (candidate: Candidate, why: string) => void,
): void {
  for (let grew = true; grew; ) {
    grew = false;
    for (const { id, parent } of candidates) {
      const found = kept.has(id) ? candidates.find((each) => each.id === parent) : undefined;
      if (!found || kept.has(found.id)) continue;
      keep(found, `needed by ${id}`);
      grew = true;
    }
  }
}

/** ISO 8601: the week of a day is that of its Thursday, `2026-W01`. */
function weekOf(at: Date): string {
  const day = (at.getUTCDay() + 6) % 7;
  const thursday = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() - day + 3));
  const year = thursday.getUTCFullYear();
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY)) + 1;
  return `${year}-W${String(week).padStart(2, '0')}`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function timeOf({ startedAt }: Candidate): number {
  return Date.parse(startedAt);
}
