/** When a schedule is due: cron expressions, by croner (five fields, six with seconds, @daily), and plain intervals. */
import { Cron } from 'croner';
import { messageOf } from './errors.ts';

/** When a schedule is due. All moments are ms since the epoch, on a whole second. */
export interface CronTimes {
  /** The first moment after this one; undefined: never again. */
  after(moment: number): number | undefined;
  /** The last moment that is later than `since` and not later than `until`. */
  latest(since: number, until: number): number | undefined;
}

/**
 * Daylight saving, as in Vixie cron: a fixed time of day that the clock skips is due when the clock has moved, one
 * that comes twice is due once; `*` and steps follow the clock.
 * @param timeZone an IANA name; undefined: the container's own (TZ)
 * @returns the sentence of what is wrong with the expression or the zone, where something is
 */
export function parseCron(expression: string, timeZone: string | undefined): CronTimes | { why: string } {
  try {
    const cron = new Cron(expression, {
      paused: true,
      mode: '5-or-6-parts',
      fixedTimeRule: 'no-wildcard',
      ...(timeZone === undefined ? {} : { timezone: timeZone }),
    });
    // Asked again and again of a moment before the same one, and dear to find.
    let known: { readonly from: number; readonly next: number } | undefined;
    const times: CronTimes = {
      after: (moment) => {
        if (known && moment >= known.from && moment < known.next) return known.next;
        const next = cron.nextRun(new Date(moment))?.getTime();
        known = next === undefined ? undefined : { from: moment, next };
        return next;
      },
      latest: (since, until) => {
        // One in the second of the reference counts for croner as before it.
        const found = cron.previousRuns(1, new Date(Math.floor(until / 1000) * 1000 + 999))[0]?.getTime();
        return found !== undefined && found > since && found <= until ? found : undefined;
      },
    };
    if (times.after(Date.UTC(2024, 0)) === undefined) return { why: 'no day ever matches it' };
    return times;
  } catch (error) {
    const said = messageOf(error);
    const zone = /Invalid time zone/i.test(said) ? `there is no time zone "${timeZone}"` : undefined;
    return { why: zone ?? said.replace(/^CronPattern: /, '').replace(/\.$/, '') };
  }
}

/** Due at every whole multiple of `period` ms since the epoch, so that a restart moves nothing. */
export function everyTimes(period: number): CronTimes {
  return {
    after: (moment) => (Math.floor(moment / period) + 1) * period,
    latest: (since, until) => {
      const found = Math.floor(until / period) * period;
      return found > since ? found : undefined;
    },
  };
}
