/** The commands about the database. */
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { CommandSpec } from '../command.ts';
import { CHANGE_OPTIONS, CONFIG_OPTIONS, OPERATION_OPTIONS } from './options.ts';

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
    examples: [
      "bulkhead db psql -- -c 'select count(*) from tools'",
      'docker exec -it CONTAINER bulkhead db psql',
    ],
    load: () => import('../commands/db-psql.ts'),
  },
  {
    name: 'db import',
    summary: 'import a dump into the application database, and migrate it',
    usage: 'FILE',
    arity: { least: 1, most: 1 },
    options: [
      {
        name: 'replace',
        summary: 'put it in the place of what is there, which is kept under another name',
      },
      ...OPERATION_OPTIONS.filter(({ name }) => name !== 'dry-run'),
    ],
    exits: [refused, unreachable, timedOut],
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
  {
    name: 'db upgrade',
    summary: 'move the cluster to a newer major of PostgreSQL that this image has; the old one is kept',
    options: [
      { name: 'to', value: 'MAJOR', summary: 'which one (the newest here)' },
      { name: 'yes-without-backup', summary: 'also where there is no verified backup of the last day' },
      ...OPERATION_OPTIONS,
      ...CONFIG_OPTIONS,
    ],
    exits: [refused, invalidConfiguration, timedOut],
    examples: ['bulkhead db upgrade --dry-run', 'bulkhead db upgrade --to 18 --yes'],
    load: () => import('../commands/db-upgrade.ts'),
  },
  {
    name: 'db rollback',
    summary: 'bring back the cluster or database that was in use before an upgrade, a restore or an import',
    usage: '[NAME]',
    arity: { least: 0, most: 1 },
    options: [
      { name: 'forget', summary: 'delete what is kept under NAME, instead of bringing it back' },
      ...OPERATION_OPTIONS,
      ...CONFIG_OPTIONS,
    ],
    exits: [unknownName, refused, invalidConfiguration, timedOut],
    examples: ['bulkhead db rollback --dry-run', 'bulkhead db rollback --forget tools_old_20261121T083501'],
    load: () => import('../commands/db-rollback.ts'),
  },
  {
    name: 'db adopt',
    summary: 'make the data folder of another image (Debian, docker-library) the cluster of an empty volume',
    usage: 'FOLDER',
    arity: { least: 1, most: 1 },
    options: [...OPERATION_OPTIONS, ...CONFIG_OPTIONS],
    exits: [unknownName, refused, invalidConfiguration],
    examples: [
      'docker run --rm -v data:/data -v old:/old:ro --entrypoint bulkhead IMAGE db adopt /old --yes',
    ],
    load: () => import('../commands/db-adopt.ts'),
  },
];
