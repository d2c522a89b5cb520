/** The commands about what runs. */
import { CommandExit } from '../../protocol/exit-codes.ts';
import type { CommandSpec } from '../command.ts';
import { ANY_NUMBER, CHANGE, CHANGE_OPTIONS, CONFIG_OPTIONS } from './options.ts';

const { notRunning, unknownName, refused, invalidConfiguration, unreachable, timedOut } = CommandExit;

export const SUPERVISION: readonly CommandSpec[] = [
  {
    name: 'up',
    summary: 'run the product: supervise every service of the tier until told to stop',
    options: CONFIG_OPTIONS,
    examples: ['bulkhead up --tier core --data ./.data'],
    load: () => import('../commands/up.ts'),
  },
  {
    name: 'status',
    summary: 'what is running, since when, and why something is not',
    usage: '[SERVICE…]',
    arity: { least: 0, most: ANY_NUMBER },
    exits: [notRunning, unknownName, unreachable],
    examples: ['bulkhead status', 'bulkhead status app --json'],
    load: () => import('../commands/status.ts'),
  },
  {
    name: 'logs',
    summary: 'what the services wrote',
    usage: '[SERVICE…]',
    arity: { least: 0, most: ANY_NUMBER },
    options: [
      { name: 'follow', short: 'f', summary: 'go on with new lines as they come' },
      { name: 'tail', short: 'n', value: 'LINES', summary: 'the newest so many lines, or all (100)' },
      { name: 'since', value: 'TIME', summary: 'lines from then on: 10m, 2h, or an ISO 8601 time' },
      { name: 'job', value: 'ID', summary: 'only lines of this job, by its whole id or the end of it' },
      { name: 'grep', value: 'REGEX', summary: 'only lines that match, among all that are kept' },
      { name: 'timestamps', short: 't', summary: 'show when each line came' },
      { name: 'no-prefix', summary: 'lines only, without the service name' },
    ],
    exits: [unknownName, unreachable],
    examples: ['bulkhead logs app --tail 50', "bulkhead logs -f --grep 'ERROR|FATAL'"],
    load: () => import('../commands/logs.ts'),
  },
  {
    name: 'start',
    summary: 'start services and wait until they are ready',
    ...CHANGE,
    examples: ['bulkhead start app'],
    load: () => import('../commands/start.ts'),
  },
  {
    name: 'stop',
    summary: 'stop services and keep them stopped',
    ...CHANGE,
    examples: ['bulkhead stop app --timeout 30s'],
    load: () => import('../commands/stop.ts'),
  },
  {
    name: 'restart',
    summary: 'stop services, start them again, wait until they are ready',
    ...CHANGE,
    options: [
      ...CHANGE_OPTIONS,
      {
        name: 'rolling',
        summary: 'one after the other, each when the one before it is ready; stop if it is not',
      },
      { name: 'dependents', summary: 'with all that depends on them; tasks among it run again' },
    ],
    examples: [
      'bulkhead restart app',
      'bulkhead restart --rolling web',
      'bulkhead restart --dependents database',
    ],
    load: () => import('../commands/restart.ts'),
  },
  {
    name: 'scale',
    summary: 'start or stop replicas until there are so many; a reload goes back to the plan',
    usage: 'SERVICE=COUNT…',
    arity: { least: 1, most: ANY_NUMBER },
    options: CHANGE_OPTIONS,
    exits: [unknownName, refused, invalidConfiguration, unreachable, timedOut],
    examples: ['bulkhead scale web=3'],
    load: () => import('../commands/scale.ts'),
  },
  {
    name: 'reload',
    summary: 'read the configuration again and change only what differs',
    options: [{ name: 'dry-run', summary: 'tell what would change, change nothing' }],
    exits: [invalidConfiguration, unreachable],
    examples: ['bulkhead reload --dry-run'],
    load: () => import('../commands/reload.ts'),
  },
  {
    name: 'health',
    summary: 'one word and an exit code: 0 healthy, 1 not',
    options: [
      { name: 'level', value: 'LEVEL', oneOf: ['live', 'ready'], summary: 'live or ready (ready)' },
      {
        name: 'deep',
        summary: 'let the parts work: a query, a write that is read back, the queue, the disk',
      },
    ],
    examples: ['bulkhead health --level live', 'bulkhead health --deep'],
    load: () => import('../commands/health.ts'),
  },
  {
    name: 'wait',
    summary: 'wait until the product, or some of its services, is ready',
    usage: '[SERVICE…]',
    arity: { least: 0, most: ANY_NUMBER },
    options: [
      { name: 'for', value: 'LEVEL', oneOf: ['ready', 'live'], summary: 'ready or live (ready)' },
      { name: 'timeout', value: 'DURATION', summary: 'give up after this long (no limit)' },
    ],
    exits: [unknownName, unreachable, timedOut],
    examples: ['bulkhead wait --for ready --timeout 60s'],
    load: () => import('../commands/wait.ts'),
  },
  {
    name: 'events',
    summary: 'what happened, in order',
    options: [
      { name: 'follow', short: 'f', summary: 'go on with new events as they come' },
      { name: 'since', value: 'NUMBER', summary: 'only events after this number' },
    ],
    exits: [unreachable],
    examples: ['bulkhead events -f --json'],
    load: () => import('../commands/events.ts'),
  },
  {
    name: 'exec',
    summary: 'run a command as a service would: its user, folder and environment',
    usage: 'SERVICE -- COMMAND [ARGUMENT…]',
    arity: { least: 1, most: 1 },
    passOn: 'after-first',
    exits: [unknownName, unreachable],
    examples: ['bulkhead exec app -- node --version'],
    load: () => import('../commands/exec.ts'),
  },
];
