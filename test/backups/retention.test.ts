import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Candidate, planRetention } from '../../src/backups/retention.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-06-30T12:00:00.000Z');
const RULES = { days: 30, weekly: 8, monthly: 6, verified: 3 };

/** A dump of so many days ago, proven unless told. */
function dump(daysAgo: number, more: Partial<Candidate> = {}): Candidate {
  return {
    id: `d${daysAgo}`,
    kind: 'dump',
    startedAt: new Date(NOW - daysAgo * DAY).toISOString(),
    proven: true,
    broken: false,
    pinned: false,
    ...more,
  };
}

const daily = (from: number, to: number): Candidate[] =>
  Array.from({ length: to - from }, (_, index) => dump(from + index + 0.25));

function kept(candidates: readonly Candidate[], now = NOW, rules = RULES): string[] {
  return planRetention(candidates, rules, now)
    .verdicts.filter(({ keep }) => keep)
    .map(({ id }) => id);
}

function reasonsOf(candidates: readonly Candidate[], id: string, now = NOW): readonly string[] {
  return planRetention(candidates, RULES, now).verdicts.find((verdict) => verdict.id === id)?.reasons ?? [];
}

describe('a year of daily dumps', () => {
  const year = daily(0, 365);

  test('leaves 30 days, 8 weeks and 6 months', () => {
    const plan = planRetention(year, RULES, NOW);
    expect(plan.held).toBeUndefined();
    // 30 days; weeks 23 to 27 lie in them, 19 to 22 do not; months June, then May to January of which May is in week 22.
    expect(kept(year).length).toBeGreaterThanOrEqual(30 + 3 + 4);
    expect(kept(year).length).toBeLessThanOrEqual(30 + 8 + 6);
  });

  test('says why each is kept', () => {
    expect(reasonsOf(year, 'd0.25')).toEqual([
      'not older than 30 d',
      'the newest',
      'the newest of week 2026-W27',
      'the newest of month 2026-06',
      'the newest verified',
    ]);
    expect(reasonsOf(year, 'd200.25')).toEqual(['no rule keeps it']);
  });
});

describe('the rules', () => {
  test('of the dumps before migrations three stay, and no other rule counts them', () => {
    const before = [0, 1, 2, 3, 4].map((day) =>
      dump(day + 0.1, { id: `m${day}`, label: 'before-migration' }),
    );
    const year = daily(0, 365);
    expect(kept([...before, ...year])).toEqual(['m0', 'm1', 'm2', ...kept(year)]);
    expect(kept(before)).toEqual(['m0', 'm1', 'm2']);
    expect(kept(before.map((each) => ({ ...each, proven: each.id === 'm4' })))).toEqual(['m0', 'm4']);
  });

  test('weeks are those of ISO 8601, also over New Year', () => {
    const now = Date.parse('2027-01-20T00:00:00Z');
    const at = (id: string, startedAt: string) => dump(0, { id, startedAt });
    const all = [
      at('wed', '2027-01-06T02:00:00.000Z'),
      at('mon', '2027-01-04T02:00:00.000Z'),
      at('sun', '2027-01-03T02:00:00.000Z'),
      at('thu', '2026-12-31T02:00:00.000Z'),
    ];
    const plan = planRetention(all, { ...RULES, days: 0, monthly: 0, verified: 1 }, now);
    expect(plan.verdicts.map(({ reasons }) => reasons.filter((why) => why.includes('week')))).toEqual([
      ['the newest of week 2027-W01'],
      [],
      ['the newest of week 2026-W53'],
      [],
    ]);
  });

  test('a pinned one stays for ever, and so does what it needs', () => {
    const old = [
      dump(400, { pinned: true, parent: 'd401' }),
      dump(401, { parent: 'd402' }),
      dump(402),
      dump(403),
    ];
    const ids = kept([...daily(0, 90), ...old]);
    expect(ids).toEqual(expect.arrayContaining(['d400', 'd401', 'd402']));
    expect(ids).not.toContain('d403');
    expect(reasonsOf([...daily(0, 90), ...old], 'd402')).toEqual(['needed by d401']);
  });

  test('the last base before the window stays: every moment of the window can be restored', () => {
    const bases = Array.from({ length: 12 }, (_, index) => dump(index * 7 + 3, { kind: 'base' }));
    const rules = { days: 14, weekly: 0, monthly: 0, verified: 1 };
    expect(kept(bases, NOW, rules)).toEqual(['d3', 'd10', 'd17']);
    expect(planRetention(bases, rules, NOW).verdicts[2]?.reasons).toEqual(['the last base before the 14 d']);
  });

  test('a broken one counts for nothing, and goes when it is old', () => {
    const all = [
      dump(0.1, { broken: true, proven: false }),
      ...daily(1, 90),
      dump(100, { broken: true, proven: false }),
    ];
    expect(reasonsOf(all, 'd0.1')).toEqual(['not older than 30 d']);
    expect(reasonsOf(all, 'd100')).toEqual(['broken, and old']);
  });
});

describe('nothing is removed', () => {
  const held = (candidates: readonly Candidate[], now = NOW) => planRetention(candidates, RULES, now).held;
  const all = daily(0, 90);

  test('when the clock went back', () => {
    expect(held(all, NOW - 2 * DAY)).toBe('the clock went back: the newest backup is of the future');
  });

  test('when it jumped ahead, until three more have come', () => {
    const later = NOW + 400 * DAY;
    expect(held(all, later)).toBe('only 0 since a gap of 400 d, 3 are awaited');
    const add = (count: number) => [
      ...Array.from({ length: count }, (_, index) =>
        dump(0, { id: `n${index}`, startedAt: new Date(later - (index + 0.5) * DAY).toISOString() }),
      ),
      ...all,
    ];
    expect(held(add(1), later)).toContain('only 1 since a gap');
    expect(held(add(2), later)).toContain('only 2 since a gap');
    expect(held(add(3), later)).toBeUndefined();
  });

  test('when none is verified', () => {
    expect(held(all.map((each) => ({ ...each, proven: false })))).toBe('none is verified');
  });

  test('but one who makes a dump a week is no gap', () => {
    const weekly = Array.from({ length: 60 }, (_, index) => dump(index * 7 + 1));
    expect(held(weekly)).toBeUndefined();
    expect(kept(weekly).length).toBeLessThan(20);
  });
});

describe('whatever the backups', () => {
  const candidates = fc
    .uniqueArray(
      fc.record({
        daysAgo: fc.integer({ min: -72, max: 900 * 24 }).map((hours) => hours / 24),
        proven: fc.boolean(),
        broken: fc.boolean(),
        pinned: fc.boolean(),
        parent: fc.option(fc.nat(40), { nil: undefined }),
      }),
      { maxLength: 40, selector: ({ daysAgo }) => daysAgo },
    )
    .map((list) =>
      list.map(
        ({ daysAgo, proven, broken, pinned, parent }, index): Candidate =>
          dump(daysAgo, {
            id: `n${index}`,
            proven: proven && !broken,
            broken,
            pinned,
            parent: parent === undefined ? undefined : `n${parent}`,
          }),
      ),
    );
  const rules = fc.record({
    days: fc.nat(60),
    weekly: fc.nat(10),
    monthly: fc.nat(10),
    verified: fc.integer({ min: 1, max: 5 }),
  });
  const jump = fc.integer({ min: -1000, max: 1000 }).map((days) => NOW + days * DAY);

  test('the newest verified ones stay, and whatever is pinned, young or needed', () => {
    fc.assert(
      fc.property(candidates, rules, jump, (list, keep, now) => {
        const ids = new Set(kept(list, now, keep));
        const proven = list
          .filter((each) => each.proven)
          .sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
        for (const { id } of proven.slice(0, keep.verified)) expect(ids).toContain(id);
        for (const each of list) {
          if (each.pinned || now - Date.parse(each.startedAt) <= keep.days * DAY)
            expect(ids).toContain(each.id);
          if (ids.has(each.id) && list.some(({ id }) => id === each.parent))
            expect(ids).toContain(each.parent);
        }
      }),
    );
  });

  test('a verdict for each, with a reason, and the order of the list is nothing', () => {
    fc.assert(
      fc.property(candidates, rules, jump, (list, keep, now) => {
        const { verdicts } = planRetention(list, keep, now);
        expect(verdicts.map(({ id }) => id)).toEqual(list.map(({ id }) => id));
        for (const { reasons } of verdicts) expect(reasons.length).toBeGreaterThan(0);
        expect(kept([...list].reverse(), now, keep).sort()).toEqual(kept(list, now, keep).sort());
      }),
    );
  });

  test('in whatever order they were made and whatever their clocks said, the newest verified stay by both', () => {
    fc.assert(
      fc.property(candidates, rules, jump, fc.infiniteStream(fc.nat(60)), (list, keep, now, numbers) => {
        const numbered = list.map((each) => ({ ...each, number: numbers.next().value as number }));
        const ids = new Set(kept(numbered, now, keep));
        const proven = numbered.filter((each) => each.proven);
        const last = Math.max(...proven.map(({ number }) => number));
        const newest = Math.max(...proven.map(({ startedAt }) => Date.parse(startedAt)));
        if (proven.length === 0) expect(ids.size).toBe(list.length);
        else {
          expect(proven.some((each) => each.number === last && ids.has(each.id))).toBe(true);
          expect(proven.some((each) => Date.parse(each.startedAt) === newest && ids.has(each.id))).toBe(true);
        }
      }),
    );
  });

  test('what was removed is removed for good: the rest is kept when asked again', () => {
    fc.assert(
      fc.property(candidates, rules, (list, keep) => {
        const first = new Set(kept(list, NOW, keep));
        const rest = list.filter(({ id }) => first.has(id));
        expect(kept(rest, NOW, keep)).toEqual(rest.map(({ id }) => id));
      }),
    );
  });

  test('more rules never keep less', () => {
    fc.assert(
      fc.property(candidates, rules, (list, keep) => {
        const more = {
          days: keep.days + 5,
          weekly: keep.weekly + 2,
          monthly: keep.monthly + 1,
          verified: keep.verified + 1,
        };
        const ids = new Set(kept(list, NOW, more));
        for (const id of kept(list, NOW, keep)) expect(ids).toContain(id);
      }),
    );
  });
});

/** A jump of the clock on a day, and for how many days; a jump may stay for ever. */
interface Jump {
  readonly on: number;
  readonly by: number;
  readonly lasts: number;
}

/** Day by day at the hour of the real time: what was made, and when what was removed was that old, in real days. */
function liveThrough(
  jumps: Jump | readonly Jump[],
  days: number,
  works: (day: number) => boolean,
  rules = RULES,
): {
  readonly removed: readonly { readonly day: number; readonly age: number }[];
  /** Of each day: the real ages of what is there, in days, youngest first. */
  readonly ages: readonly (readonly number[])[];
} {
  const shift = (day: number): number =>
    DAY * ([jumps].flat().find(({ on, lasts }) => day >= on && day < on + lasts)?.by ?? 0);
  const removed: { day: number; age: number }[] = [];
  const ages: number[][] = [];
  let shelf: (Candidate & { readonly day: number })[] = [];
  let made = 0;
  for (let day = 0; day < days; day += 1) {
    if (!works(day)) continue;
    const now = NOW + day * DAY + shift(day);
    made += 1;
    const own = {
      ...dump(0, { id: `day${day}`, startedAt: new Date(now).toISOString(), number: made }),
      day,
    };
    shelf = [...shelf, own];
    const ids = new Set(kept(shelf, now + 60_000, rules));
    for (const each of shelf) if (!ids.has(each.id)) removed.push({ day: each.day, age: day - each.day });
    expect(ids).toContain(own.id);
    for (const { id } of shelf.slice(-RULES.verified)) expect(ids).toContain(id);
    shelf = shelf.filter(({ id }) => ids.has(id));
    ages.push(shelf.map((each) => day - each.day).sort((a, b) => a - b));
  }
  return { removed, ages };
}

describe('one jump of the clock', () => {
  const jumps = fc.record({
    on: fc.integer({ min: 5, max: 90 }),
    by: fc.oneof(fc.integer({ min: 14, max: 400 }), fc.integer({ min: -400, max: -14 })),
    lasts: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(1000)),
  });

  test('case 24: weeks ahead or behind, for days or for ever, it takes nothing that is young, nor what the run has made', () => {
    const fails = fc.uniqueArray(fc.integer({ min: 0, max: 140 }), { maxLength: 30 });
    fc.assert(
      fc.property(jumps, fails, (jump, failing) => {
        const { removed } = liveThrough(jump, 140, (day) => !failing.includes(day));
        for (const { age } of removed) expect(age).toBeGreaterThanOrEqual(RULES.days);
      }),
      { numRuns: 40 },
    );
  });

  const widest = (ages: readonly number[], from: number, to: number): number =>
    Math.max(0, ...ages.slice(1).map((age, at) => (age > from && age <= to ? age - (ages[at] ?? 0) : 0)));

  test('case 24: the weeks and months reach nearly as far back as without it, and without a hole', () => {
    const quiet = liveThrough({ on: 0, by: 0, lasts: 0 }, 300, () => true).ages.slice(220);
    expect(Math.min(...quiet.map((ages) => ages.at(-1) ?? 0))).toBeGreaterThan(120);
    const late = fc.record({
      on: fc.integer({ min: 160, max: 260 }),
      by: fc.oneof(fc.integer({ min: 1, max: 500 }), fc.integer({ min: -500, max: -1 })),
      lasts: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(1000)),
    });
    fc.assert(
      fc.property(late, (jump) => {
        for (const ages of liveThrough(jump, 300, () => true).ages.slice(220)) {
          expect(ages.at(-1)).toBeGreaterThan(60);
          expect(widest(ages, 30, 49)).toBeLessThanOrEqual(21);
          expect(widest(ages, 49, 120)).toBeLessThanOrEqual(75);
        }
      }),
      { numRuns: 10 },
    );
  });

  test('holds back no longer than it lasts: the shelf is as full as ever a month after its young ones are old', () => {
    const short = fc.record({
      on: fc.integer({ min: 40, max: 60 }),
      by: fc.constantFrom(-400, -40, -2, 2, 40, 400),
      lasts: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(short, (jump) => {
        expect(liveThrough(jump, 150, () => true).ages.at(-1)?.length).toBeLessThan(30 + 2 * (8 + 6));
      }),
      { numRuns: 10 },
    );
  });

  test('holds nothing back for ever: what is old goes when the clock is right again', () => {
    expect(liveThrough({ on: 60, by: 40, lasts: 3 }, 200, () => true).removed.length).toBeGreaterThan(60);
    expect(liveThrough({ on: 60, by: -40, lasts: 3 }, 200, () => true).removed.length).toBeGreaterThan(60);
    expect(liveThrough({ on: 60, by: 40, lasts: 1000 }, 200, () => true).removed.length).toBeGreaterThan(60);
    expect(liveThrough({ on: 60, by: -40, lasts: 1000 }, 200, () => true).removed.length).toBeGreaterThan(60);
  });
});

describe('two jumps of the clock, one soon after the other', () => {
  const twice = [
    { on: 59, by: -30, lasts: 5 },
    { on: 65, by: -365, lasts: 3 },
  ];

  test('the first run with the right clock removes nothing that is young, nor do the next two', () => {
    const rules = { ...RULES, days: 14, weekly: 4 };
    const { removed } = liveThrough(twice, 71, () => true, rules);
    expect(removed.filter(({ age }) => age < rules.days)).toEqual([]);
  });

  test('hold back where the times that are spread evenly show no gap, and the clocks’ own do', () => {
    const shift = (day: number) => (day >= 59 && day < 64 ? 30 : day >= 65 && day < 68 ? 365 : 0);
    const all = Array.from({ length: 69 }, (_, day) =>
      dump(68 - day + shift(day), { id: `day${day}`, number: day + 1 }),
    );
    expect(planRetention(all, RULES, NOW).held).toBe('only 1 since a gap of 4 d, 3 are awaited');
  });
});

describe('a life of backups', () => {
  /** Day by day: a backup is made and verified, or fails; whoever made one prunes. */
  function live(days: number, works: (day: number) => boolean, clock: (day: number) => number): string[] {
    let shelf: Candidate[] = [];
    const made: string[] = [];
    for (let day = 0; day < days; day += 1) {
      const now = clock(day);
      if (!works(day)) continue;
      const id = `day${day}`;
      made.push(id);
      shelf = [dump(0, { id, startedAt: new Date(now).toISOString() }), ...shelf];
      const ids = new Set(kept(shelf, now));
      shelf = shelf.filter((each) => ids.has(each.id));
      const newest = made.slice(-RULES.verified);
      for (const each of newest) expect(shelf.map((one) => one.id)).toContain(each);
    }
    return shelf.map(({ id }) => id);
  }
  const steady = (day: number) => NOW + day * DAY;

  test('case 24: 40 days of failing backups, and a clock that goes back 2 days or ahead 400, take none of the last three', () => {
    expect(live(140, (day) => day < 60 || day >= 100, steady).length).toBeGreaterThan(30);
    expect(
      live(
        90,
        () => true,
        (day) => steady(day) - (day === 60 ? 2 * DAY : 0),
      ).length,
    ).toBeGreaterThan(30);
    expect(
      live(
        90,
        () => true,
        (day) => steady(day) + (day === 60 ? 400 * DAY : 0),
      ).length,
    ).toBeGreaterThan(30);
  });

  test('case 24: whatever the clock does and whatever fails, the last three verified stay', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ works: fc.boolean(), jump: fc.constantFrom(0, 0, 0, 0, -2, 400, -400, 31) }), {
          maxLength: 80,
        }),
        (days) => {
          let shift = 0;
          let shelf: Candidate[] = [];
          days.forEach(({ works, jump }, day) => {
            shift += jump;
            if (!works) return;
            const now = NOW + (day + shift) * DAY;
            shelf = [dump(0, { id: `day${day}`, startedAt: new Date(now).toISOString() }), ...shelf];
            const byTime = [...shelf].sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
            const ids = new Set(kept(shelf, now));
            for (const { id } of byTime.slice(0, RULES.verified)) expect(ids).toContain(id);
            shelf = shelf.filter(({ id }) => ids.has(id));
          });
        },
      ),
    );
  });
});
