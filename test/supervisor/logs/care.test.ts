import { describe, expect, it } from 'vitest';
import { dateOf, dayOf, parseLogName } from '../../../src/base/log-names.ts';
import type { CareWork } from '../../../src/protocol/log-care.ts';
import { type CareFolder, LogCare } from '../../../src/supervisor/logs/care.ts';
import { decideCare, type KeptFile } from '../../../src/supervisor/logs/decide-care.ts';
import { manualClock } from '../../support/clock.ts';
import { settle } from './fakes.ts';

const TODAY = dayOf(Date.UTC(2026, 0, 1));
const HOUR = 3600 * 1000;

function kept(file: string, size = 10, open = false): KeptFile {
  const name = parseLogName(file);
  if (!name) throw new Error(file);
  return { ...name, size, open };
}

const daysAgo = (days: number, rest = '.log'): string => `app-${dateOf(TODAY - days)}${rest}`;
const LIMITS = { keepDays: 30, maxTotal: 1000 };
const decide = (files: readonly KeptFile[], unfinished: readonly string[] = []) =>
  decideCare(files, unfinished, new Set(['app']), LIMITS, TODAY);

describe('what is done with log files', () => {
  it('nothing, to those of today and to compressed ones that are not too old', () => {
    const { work } = decide([kept(daysAgo(0)), kept(daysAgo(0, '.1.log')), kept(daysAgo(30, '.log.gz'))]);
    expect(work).toEqual({ remove: [], compress: [], adopt: [] });
  });

  it('those of days that are over are compressed, but not while somebody writes them', () => {
    const { work } = decide([
      kept(daysAgo(1)),
      kept(daysAgo(2, '.log.1')),
      kept(daysAgo(1, '.1.log'), 1, true),
    ]);
    expect(work.compress).toEqual([daysAgo(2, '.log.1'), daysAgo(1)]);
  });

  it('those older than so many days by their name go, whatever the clock of the disk says', () => {
    const { expired, work } = decide([
      kept(daysAgo(31, '.log.gz')),
      kept(daysAgo(31, '.1.log')),
      kept(daysAgo(30)),
    ]);
    expect(expired.map(({ file }) => file)).toEqual([daysAgo(31, '.log.gz'), daysAgo(31, '.1.log')]);
    expect(work.compress).toEqual([daysAgo(30)]);
  });

  it('the oldest go where all are too many bytes, some more than needed, never one that is being written', () => {
    const { capped, left } = decide([
      kept(daysAgo(3, '.log.gz'), 200, true),
      kept(daysAgo(2, '.log.gz'), 200),
      kept(daysAgo(1), 200),
      kept(daysAgo(0), 300),
      kept(daysAgo(0, '.1.log'), 300, true),
    ]);
    expect(capped.map(({ file }) => file)).toEqual([daysAgo(2, '.log.gz'), daysAgo(1)]);
    expect(left).toBe(800);
  });

  it('one day that is too much alone loses its first parts', () => {
    const { capped } = decide([0, 1, 2, 3].map((part) => kept(daysAgo(0, `.${part}.log`), 400, part === 3)));
    expect(capped.map(({ part }) => part)).toEqual([0, 1]);
  });

  it('what a killed program left goes, old files of our services get a name, others of that kind are nobody’s', () => {
    const { work } = decide(
      [kept('app.log'), kept('app.log.1'), kept('supervisord.log', 5000)],
      ['.x.log.gz.tmp'],
    );
    expect(work).toEqual({ remove: ['.x.log.gz.tmp'], compress: [], adopt: ['app.log', 'app.log.1'] });
  });

  it('files of days to come stay: the clock was wrong, not they', () => {
    expect(decide([kept(daysAgo(-40))]).work).toEqual({ remove: [], compress: [], adopt: [] });
  });
});

function openCare(files: KeptFile[], options: { fails?: boolean } = {}) {
  const clock = manualClock();
  const done: CareWork[] = [];
  const said: string[] = [];
  let above = { bytes: Number.POSITIVE_INFINITY, run: (): void => undefined };
  let sealed: readonly string[] = [];
  let cuts = 0;
  let listed = 0;
  const folder: CareFolder = {
    list: async () => {
      listed += 1;
      return { files: [...files], unfinished: [] };
    },
    seal: (names) => {
      sealed = names;
      return names;
    },
    onceAbove: (bytes, run) => {
      above = { bytes, run };
    },
    cut: () => {
      cuts += 1;
    },
  };
  const care = new LogCare({
    clock,
    folder,
    limits: () => ({ files: true, maxFile: 100, ...LIMITS }),
    services: () => ['app'],
    say: (level, msg) => said.push(`${level} ${msg}`),
    run: async (work) => {
      expect(sealed).toEqual([...work.remove, ...work.compress]);
      done.push(work);
      if (options.fails) return false;
      for (const name of work.remove)
        files.splice(0, files.length, ...files.filter(({ file }) => file !== name));
      for (const name of work.compress) {
        files.splice(
          0,
          files.length,
          ...files.map((each) => (each.file === name ? kept(`${name}.gz`, 1) : each)),
        );
      }
      return true;
    },
  });
  return {
    care,
    clock,
    done,
    said,
    above: () => above,
    cuts: () => cuts,
    listed: () => listed,
    sealed: () => sealed,
  };
}

describe('the care for log files', () => {
  it('comes at boot, at the next date in UTC and each hour, and starts no program for nothing', async () => {
    const files: KeptFile[] = [];
    const { care, clock, done, listed } = openCare(files);
    care.begin();
    await care.look();
    expect(listed()).toBe(1);
    files.push(kept(daysAgo(0)));
    clock.advance(23 * HOUR);
    await settle();
    clock.advance(HOUR - 1);
    await settle();
    expect(done).toEqual([]);
    clock.advance(5001);
    await settle();
    expect(done).toEqual([{ remove: [], compress: [daysAgo(0)], adopt: [] }]);
    care.end();
    expect(clock.armed).toBe(0);
  });

  it('forty days on deletes what is too old then, says so, and lets everything go on', async () => {
    const files = [kept(daysAgo(0), 500, true)];
    const { care, clock, said, sealed } = openCare(files);
    await care.look();
    // Nobody writes it any more.
    files.splice(0, 1, kept(daysAgo(0), 500));
    clock.advance(40 * 24 * HOUR);
    await settle();
    clock.advance(HOUR);
    await settle();
    expect(files).toEqual([]);
    expect(said).toEqual([
      `info a log file (500 B, from ${daysAgo(0)}) deleted: older than 30 days (logs.keep_days)`,
    ]);
    expect(sealed()).toEqual([]);
    care.end();
  });

  it('comes as soon as there are more bytes than allowed, and says what had to go', async () => {
    const files = [kept(daysAgo(1, '.log.gz'), 600), kept(daysAgo(0), 300, true)];
    const { care, above, said } = openCare(files);
    await care.look();
    expect(above().bytes).toBe(1000);
    files.push(kept(daysAgo(0, '.1.log'), 300, true));
    above().run();
    await settle();
    expect(files.map(({ file }) => file)).toEqual([daysAgo(0), daysAgo(0, '.1.log')]);
    expect(said[0]).toContain('warn a log file (600 B');
    expect(said[0]).toContain('(logs.max_total)');
    care.end();
  });

  it('says at once that the oldest go, and of a flood that makes them go all the time every ten seconds', async () => {
    const files: KeptFile[] = [];
    const { care, clock, above, said } = openCare(files);
    await care.look();
    for (let second = 0; second < 25; second += 1) {
      files.push(kept(daysAgo(0, `.${second + 1}.log`), 1100));
      above().run();
      await settle();
      clock.advance(1000);
    }
    care.end();
    expect(said.map((text) => text.slice(0, 20))).toEqual([
      'warn a log file (1.1',
      'warn 9 log files (9.',
      'warn 10 log files (1',
      'warn 5 log files (5.',
    ]);
  });

  it('closes what is being written where that alone is too much, and comes again when it has grown', async () => {
    const { care, above, cuts } = openCare([kept(daysAgo(0), 1200, true)]);
    await care.look();
    expect(cuts()).toBe(1);
    expect(above().bytes).toBe(1250);
    care.end();
  });

  it('says nothing of what was not done, and tries again with the next hour', async () => {
    const { care, clock, done, said, sealed } = openCare([kept(daysAgo(31))], { fails: true });
    await care.look();
    expect(said).toEqual([]);
    expect(sealed()).toEqual([]);
    clock.advance(HOUR);
    await settle();
    expect(done).toHaveLength(2);
    care.end();
  });
});
