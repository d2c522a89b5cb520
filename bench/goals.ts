import type { Figure } from './measures/measure.ts';

export interface Goal {
  readonly what: string;
  /** The figure and the most (or least) it may be; undefined where one of the figures is not there. */
  judge(figure: (peer: string, column: string) => number): { readonly value: number; readonly limit: number };
  readonly atLeast?: boolean;
}

const ours = 'bulkhead';

export const GOALS: readonly Goal[] = [
  atMostTimes('start of 10 ≤ 2.5 × floor', 'start 10, ms', 2.5, 'floor'),
  atMostTimes('start of 100 ≤ 2 × floor', 'start 100, ms', 2, 'floor'),
  atMostTimes('start of 1000 ≤ 1.5 × floor', 'start 1000, ms', 1.5, 'floor'),
  atMostTimes('start of 1000 ahead of s6', 'start 1000, ms', 1, 's6'),
  atMostTimes(
    'start of 1000 with users and limits ≤ 4 × floor',
    'confined 1000, ms',
    4,
    'floor',
    'start 1000, ms',
  ),
  atMost('from `up` to the first spawn ≤ 120 ms', 'start 1, ms', 120),
  atMostTimes('crash → next start ≤ 2 × floor', 'fastest, median', 2, 'floor'),
  {
    what: 'first crash after a stable spell, by default ≤ 2 × floor',
    judge: (figure) => ({
      value: figure(ours, 'default, median'),
      limit: 2 * figure('floor', 'fastest, median'),
    }),
  },
  atMost('PSS at 10 ≤ 62 MB', 'PSS 10, MB', 62),
  atMost('PSS at 1000 ≤ 80 MB', 'PSS 1000, MB', 80),
  atMostTimes('PSS at 1000 below s6', 'PSS 1000, MB', 1, 's6'),
  atMostTimes('PSS at 1000 below runit', 'PSS 1000, MB', 1, 'runit'),
  atMostTimes('private dirty at 10 below supervisord', 'private dirty 10, MB', 1, 'supervisord'),
  atLeastTimes('64 KB writes ≥ 1.3 × supervisord', '64 KB writes, MB/s', 1.3, 'supervisord'),
  atLeastTimes('64 KB writes, stamped ≥ 2 × s6', '64 KB writes, MB/s', 2, 's6'),
  atLeastTimes('a write a line ≥ 0.9 × supervisord', 'a write a line, MB/s', 0.9, 'supervisord'),
  atMostTimes(
    "a write a line at a third of supervisord's CPU",
    'a write a line, CPU s/GB',
    1 / 3,
    'supervisord',
  ),
  atMost('no line lost, 64 KB writes', '64 KB writes, lost', 0),
  atMost('no line lost, a write a line', 'a write a line, lost', 0),
  atMostTimes('stop of 1000 ≤ 3 × floor', 'stop 1000, ms', 3, 'floor'),
  atMost('no zombie of 1000 orphans', 'zombies of 1000', 0),
  atMost('`status` ≤ 80 ms', 'status, ms', 80),
  atMost('idle CPU in 30 s at 10 ≤ 5 ms', 'CPU, ms', 5),
  atMost('idle CPU at 1000 ≤ 0.1 % of a core (10 ms in 10 s)', 'idle 1000, ms', 10),
];

export function figureIn(figures: readonly Figure[]): (peer: string, column: string) => number {
  return (peer, column) =>
    figures.find((each) => each.peer === peer && each.column === column)?.value ?? Number.NaN;
}

function atMost(what: string, column: string, limit: number): Goal {
  return { what, judge: (figure) => ({ value: figure(ours, column), limit }) };
}

function atMostTimes(what: string, column: string, times: number, peer: string, theirs = column): Goal {
  return { what, judge: (figure) => ({ value: figure(ours, column), limit: times * figure(peer, theirs) }) };
}

function atLeastTimes(what: string, column: string, times: number, peer: string): Goal {
  return { ...atMostTimes(what, column, times, peer), atLeast: true };
}
