/** What is to be done with the log files there are: a function of names, sizes and the day. */
import { byAge, dateOf, type LogName } from '../../base/log-names.ts';
import type { LogsPlan } from '../../config/plan.ts';
import type { CareWork } from '../../protocol/log-care.ts';

export interface KeptFile extends LogName {
  readonly size: number;
  /** Somebody writes it: it is left alone. */
  readonly open: boolean;
}

export interface Care {
  readonly work: CareWork;
  /** Too old, by the date in the name. */
  readonly expired: readonly KeptFile[];
  /** Not too old, but all together are too many bytes. */
  readonly capped: readonly KeptFile[];
  /** Bytes of all files that this leaves. */
  readonly left: number;
}

/** Below the cap by this much, so that not every line of a busy day makes it work again. */
const ROOM = 0.1;

/**
 * @param unfinished what a killed program left: it goes
 * @param services whose files of all days are ours
 * @param today as in base/log-names.ts
 */
export function decideCare(
  files: readonly KeptFile[],
  unfinished: readonly string[],
  services: ReadonlySet<string>,
  { keepDays, maxTotal }: Pick<LogsPlan, 'keepDays' | 'maxTotal'>,
  today: number,
): Care {
  const dated = files.filter(({ day }) => day !== '').toSorted((a, b) => byAge(a, b) || b.size - a.size);
  const oldest = dateOf(today - keepDays);
  const expired = dated.filter(({ day, open }) => day < oldest && !open);
  const rest = dated.filter((file) => !expired.includes(file));
  const capped: KeptFile[] = [];
  let left = rest.reduce((sum, { size }) => sum + size, 0);
  if (left > maxTotal) {
    for (const file of rest) {
      if (left <= maxTotal * (1 - ROOM)) break;
      if (file.open) continue;
      capped.push(file);
      left -= file.size;
    }
  }
  const day = dateOf(today);
  const closed = rest.filter((file) => file.day < day && !file.compressed && !file.open);
  return {
    expired,
    capped,
    left,
    work: {
      remove: [...unfinished, ...[...expired, ...capped].map(({ file }) => file)],
      compress: closed.filter((file) => !capped.includes(file)).map(({ file }) => file),
      adopt: files.filter((file) => file.day === '' && services.has(file.service)).map(({ file }) => file),
    },
  };
}
