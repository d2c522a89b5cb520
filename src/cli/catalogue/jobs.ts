/** The commands about work that is asked for and done by a worker. */
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { CommandSpec } from '../command.ts';

const { unknownName, refused, unreachable, timedOut } = CommandExit;

const ONE_JOB = {
  usage: 'ID',
  arity: { least: 1, most: 1 },
  exits: [unknownName, refused, unreachable],
} as const;
const ONE_TYPE = {
  usage: '[TYPE]',
  arity: { least: 0, most: 1 },
  exits: [unknownName, unreachable],
} as const;

export const JOBS: readonly CommandSpec[] = [
  {
    name: 'job run',
    summary: 'add a job to the queue',
    usage: 'TYPE',
    arity: { least: 1, most: 1 },
    options: [
      { name: 'data', value: 'JSON', summary: 'what it is about; its program reads it on descriptor 3' },
      { name: 'data-file', value: 'FILE', summary: 'the same from a file; -: from standard input' },
      { name: 'key', value: 'KEY', summary: 'idempotency: the same key again is the same job, not another' },
      {
        name: 'singleton-key',
        value: 'KEY',
        summary: 'refuse it while another of the type with this key waits or runs',
      },
      { name: 'priority', value: 'NUMBER', summary: 'higher first (that of the plan)' },
      { name: 'after', value: 'TIME', summary: 'not before: 10m, 2h, or an ISO 8601 time' },
      { name: 'wait', summary: 'show its progress and end as it does: 0 completed, 1 not' },
      { name: 'timeout', value: 'DURATION', summary: 'with --wait: how long to wait for it (no limit)' },
    ],
    exits: [unknownName, refused, unreachable, timedOut],
    examples: [
      'bulkhead job run scrape --data \'{"tool": 7}\' --wait',
      'bulkhead job run backup --key backup-2026-11-21',
    ],
    load: () => import('../commands/job-run.ts'),
  },
  {
    name: 'job list',
    summary: 'jobs, newest first',
    options: [
      { name: 'state', value: 'STATES', summary: 'only in this state, or in several with commas between' },
      { name: 'type', value: 'TYPE', summary: 'only of this type' },
      { name: 'limit', short: 'n', value: 'NUMBER', summary: 'at most so many (50)' },
    ],
    exits: [unknownName, unreachable],
    examples: ['bulkhead job list --state failed', 'bulkhead job list --type scrape --limit 200 --json'],
    load: () => import('../commands/job-list.ts'),
  },
  {
    name: 'job show',
    summary: 'one job: its data, how far it is, what came of it; of its id either end will do',
    ...ONE_JOB,
    examples: ['bulkhead job show 1f0c9a3e'],
    load: () => import('../commands/job-show.ts'),
  },
  {
    name: 'job cancel',
    summary: 'cancel a job: one that waits at once, one that runs is stopped with all its processes',
    ...ONE_JOB,
    load: () => import('../commands/job-cancel.ts'),
  },
  {
    name: 'job retry',
    summary: 'run a job again that failed or was cancelled, with all its attempts',
    ...ONE_JOB,
    load: () => import('../commands/job-retry.ts'),
  },
  {
    name: 'job remove',
    summary: 'take a job away that does not run',
    ...ONE_JOB,
    load: () => import('../commands/job-remove.ts'),
  },
  {
    name: 'job redrive',
    summary: 'run everything again that failed for good, or only what is of a type',
    ...ONE_TYPE,
    load: () => import('../commands/job-redrive.ts'),
  },
  {
    name: 'job pause',
    summary: 'begin no more jobs, or none of a type; those that run go on',
    ...ONE_TYPE,
    load: () => import('../commands/job-pause.ts'),
  },
  {
    name: 'job resume',
    summary: 'begin jobs again',
    ...ONE_TYPE,
    load: () => import('../commands/job-resume.ts'),
  },
  {
    name: 'job status',
    summary: 'how many jobs wait, run and failed, where they are kept, and who works',
    exits: [unreachable],
    load: () => import('../commands/job-status.ts'),
  },
  {
    name: 'job watch',
    summary: 'follow one job to its end, or all that happens in the queue',
    usage: '[ID]',
    arity: { least: 0, most: 1 },
    exits: [unknownName, unreachable],
    examples: ['bulkhead job watch 1f0c9a3e', 'bulkhead job watch --json'],
    load: () => import('../commands/job-watch.ts'),
  },
];
