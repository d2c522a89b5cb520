/** The commands about the plan and the machine. */
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { CommandSpec } from '../command.ts';
import { CONFIG_OPTIONS } from './options.ts';

const { invalidConfiguration } = CommandExit;

export const CONFIGURATION: readonly CommandSpec[] = [
  {
    name: 'config check',
    summary: 'check the configuration; every problem at once',
    options: [...CONFIG_OPTIONS, { name: 'quiet', short: 'q', summary: 'say nothing when all is well' }],
    exits: [invalidConfiguration],
    examples: ['bulkhead config check --config ./config --tier full'],
    load: () => import('../commands/config-check.ts'),
  },
  {
    name: 'config show',
    summary: 'the whole plan, where each value came from, secrets masked',
    options: CONFIG_OPTIONS,
    exits: [invalidConfiguration],
    load: () => import('../commands/config-show.ts'),
  },
  {
    name: 'config diff',
    summary: 'what one tier has that another has not',
    usage: 'TIER TIER',
    arity: { least: 2, most: 2 },
    options: CONFIG_OPTIONS.slice(0, 1),
    exits: [invalidConfiguration],
    examples: ['bulkhead config diff core scraper'],
    load: () => import('../commands/config-diff.ts'),
  },
  {
    name: 'config schema',
    summary: 'the JSON Schema of the plan, for editors',
    load: () => import('../commands/config-schema.ts'),
  },
  {
    name: 'tier',
    summary: 'which tier runs, and what each would start and take of memory',
    options: CONFIG_OPTIONS,
    exits: [invalidConfiguration],
    load: () => import('../commands/tier.ts'),
  },
  {
    name: 'doctor',
    summary: 'look for what is wrong with this machine, this volume and this configuration',
    options: CONFIG_OPTIONS,
    examples: ['bulkhead doctor --json'],
    load: () => import('../commands/doctor.ts'),
  },
];
