/** The commands about Bulkhead itself. */
import type { CommandSpec } from '../command.ts';

export const ABOUT: readonly CommandSpec[] = [
  {
    name: 'version',
    summary: 'the version of Bulkhead and of Node',
    load: () => import('../commands/version.ts'),
  },
  {
    name: 'help',
    summary: 'explain a command',
    usage: '[COMMAND]',
    arity: { least: 0, most: 2 },
    load: () => import('../commands/help.ts'),
  },
];
