/** What several commands take alike. */
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { OptionSpec } from '../command.ts';

const { unknownName, refused, unreachable, timedOut } = CommandExit;
export const ANY_NUMBER = Number.POSITIVE_INFINITY;

export const CHANGE_OPTIONS: readonly OptionSpec[] = [
  { name: 'no-wait', summary: 'ask for it and return at once' },
  { name: 'timeout', value: 'DURATION', summary: 'how long to wait for it (2m)' },
];
export const CHANGE = {
  usage: 'SERVICE…',
  arity: { least: 1, most: ANY_NUMBER },
  options: CHANGE_OPTIONS,
  exits: [unknownName, refused, unreachable, timedOut],
} as const;
/** Of what puts one thing in the place of another. */
export const OPERATION_OPTIONS: readonly OptionSpec[] = [
  { name: 'yes', short: 'y', summary: 'do not ask' },
  { name: 'dry-run', summary: 'tell what it would do, change nothing' },
  { name: 'timeout', value: 'DURATION', summary: 'how long to wait until all is ready again (12h)' },
];
export const CONFIG_OPTIONS: readonly OptionSpec[] = [
  { name: 'config', value: 'PATH', summary: 'a folder of tiers, or one file (BULKHEAD_CONFIG)' },
  { name: 'tier', value: 'TIER', summary: 'which tier (BULKHEAD_TIER, core)' },
];
