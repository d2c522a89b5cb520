/** The commands about the database. */
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { CommandSpec } from '../command.ts';
import { CHANGE_OPTIONS, CONFIG_OPTIONS } from './options.ts';

const { notRunning, unknownName, refused, invalidConfiguration, unreachable, timedOut } = CommandExit;

export const DATABASE: readonly CommandSpec[] = [
  {
    name: 'db status',
    summary: 'the database: version, size, connections, what was imported',
    exits: [notRunning, unreachable],
    load: () => import('../commands/db-status.ts'),
  },
  {
    name: 'db psql',
    summary: 'a psql session as the application role',
    usage: '[-- PSQL-ARGUMENT…]',
    passOn: 'after-dashes',
    options: CONFIG_OPTIONS,
    exits: [invalidConfiguration],
    examples: ["bulkhead db psql -- -c 'select count(*) from tools'"],
    load: () => import('../commands/db-psql.ts'),
  },
  {
    name: 'db import',
    summary: 'import a dump into the application database',
    usage: 'FILE',
    arity: { least: 1, most: 1 },
    options: [
      {
        name: 'replace',
        summary: 'put it in the place of what is there, which is kept under another name',
      },
    ],
    exits: [refused, unreachable],
    examples: ['bulkhead db import --replace /data/import/tools.sql.gz'],
    load: () => import('../commands/db-import.ts'),
  },
  {
    name: 'db migrate',
    summary: 'run the migrations again',
    options: CHANGE_OPTIONS,
    exits: [unknownName, unreachable, timedOut],
    load: () => import('../commands/db-migrate.ts'),
  },
];
