/** The commands about what is not well, and who is told. */
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { CommandSpec } from '../command.ts';

const { unknownName, refused, unreachable } = CommandExit;

export const ALERTS: readonly CommandSpec[] = [
  {
    name: 'alerts list',
    summary: 'what is not well, what is silenced, and how it goes with who is told',
    exits: [refused, unreachable],
    load: () => import('../commands/alerts-list.ts'),
  },
  {
    name: 'alerts test',
    summary: 'send a test to every sink, or to one, and say what came of it',
    usage: '[SINK]',
    arity: { least: 0, most: 1 },
    exits: [unknownName, refused, unreachable],
    load: () => import('../commands/alerts-test.ts'),
  },
  {
    name: 'alerts silence',
    summary: 'hear nothing of an alert for a while',
    usage: 'ALERT[/SERVICE]',
    arity: { least: 1, most: 1 },
    options: [
      { name: 'for', value: 'DURATION', summary: 'how long: 30m, 2h, 1d (1h)' },
      { name: 'comment', value: 'TEXT', summary: 'why, for those who come after' },
      { name: 'end', summary: 'end the silences of this alert instead' },
    ],
    exits: [unknownName, refused, unreachable],
    examples: [
      'bulkhead alerts silence QueueBacklog --for 2h',
      'bulkhead alerts silence ServiceDown/app --end',
    ],
    load: () => import('../commands/alerts-silence.ts'),
  },
];
