/** Every command in the order help shows them: enough to parse and explain it; its code is loaded when it runs. */
import { ABOUT } from './catalogue/about.ts';
import { ALERTS } from './catalogue/alerts.ts';
import { BACKUPS } from './catalogue/backups.ts';
import { BUNDLES } from './catalogue/bundles.ts';
import { CONFIGURATION } from './catalogue/configuration.ts';
import { DATABASE } from './catalogue/database.ts';
import { JOBS } from './catalogue/jobs.ts';
import { SCHEDULES } from './catalogue/schedules.ts';
import { SUPERVISION } from './catalogue/supervision.ts';
import { TOKENS } from './catalogue/tokens.ts';
import type { CommandSpec } from './command.ts';

export const COMMANDS: readonly CommandSpec[] = [
  ...SUPERVISION,
  ...CONFIGURATION,
  ...DATABASE,
  ...BACKUPS,
  ...BUNDLES,
  ...JOBS,
  ...SCHEDULES,
  ...ALERTS,
  ...TOKENS,
  ...ABOUT,
];
