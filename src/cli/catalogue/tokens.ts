/** The commands about who may ask the API. */
import { ROLES } from '../../config/roles.ts';
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { CommandSpec } from '../command.ts';

const { unknownName, refused, unreachable } = CommandExit;

export const TOKENS: readonly CommandSpec[] = [
  {
    name: 'token create',
    summary: 'make a token for the API and show it this once',
    usage: 'NAME',
    arity: { least: 1, most: 1 },
    options: [
      {
        name: 'role',
        value: 'ROLE',
        oneOf: ROLES,
        summary: 'viewer sees; operator starts, stops, runs; admin restores, makes tokens (viewer)',
      },
      {
        name: 'expires',
        value: 'DURATION',
        summary: 'after how long it opens nothing any more: 30d (never)',
      },
    ],
    exits: [refused, unreachable],
    examples: ['bulkhead token create grafana', 'bulkhead token create deploy --role operator --expires 90d'],
    load: () => import('../commands/token-create.ts'),
  },
  {
    name: 'token list',
    summary: 'the tokens of the API: names, roles, ends; never their values',
    exits: [unreachable],
    load: () => import('../commands/token-list.ts'),
  },
  {
    name: 'token revoke',
    summary: 'end a token: it and what was logged in with it open nothing any more',
    usage: 'NAME',
    arity: { least: 1, most: 1 },
    exits: [unknownName, refused, unreachable],
    load: () => import('../commands/token-revoke.ts'),
  },
];
