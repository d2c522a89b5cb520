/** The commands about what runs by the clock. */
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { CommandSpec } from '../command.ts';

const { unknownName, refused, unreachable } = CommandExit;

export const SCHEDULES: readonly CommandSpec[] = [
  {
    name: 'schedule list',
    summary: 'what runs by the clock: when next, and how it went last time',
    exits: [unreachable],
    load: () => import('../commands/schedule-list.ts'),
  },
  {
    name: 'schedule run',
    summary: 'run a schedule now, besides the times it is due, and wait for its end',
    usage: 'SCHEDULE',
    arity: { least: 1, most: 1 },
    options: [{ name: 'no-wait', summary: 'ask for it and return at once' }],
    exits: [unknownName, refused, unreachable],
    examples: ['bulkhead schedule run backup'],
    load: () => import('../commands/schedule-run.ts'),
  },
];
