import { COMMON_OPTIONS, optionsOf } from './arguments.ts';
import type { CommandSpec, OptionSpec } from './command.ts';
import type { Paint } from './terminal.ts';

const EXIT_MEANINGS: Readonly<Record<number, string>> = {
  0: 'ok',
  1: 'failed or unhealthy',
  2: 'wrong usage',
  3: 'not running',
  4: 'no such service or job',
  5: 'refused',
  6: 'configuration invalid',
  7: 'supervisor unreachable',
  124: 'timed out',
};

const UP_EXITS: readonly [string, string][] = [
  ['0', 'asked to stop and stopped clean'],
  ['10', 'a critical service gave up'],
  ['11', 'a critical service was unhealthy past its limit'],
  ['12', 'a task failed: cluster, setup, import or migration'],
  ['13', 'configuration invalid, a port taken, a user, folder or program missing'],
  ['14', 'stopped, but something had to be killed'],
  ['70', 'internal error'],
  ['75', 'the data is in use by another supervisor'],
];

/** The help of the whole program. */
export function renderHelp(commands: readonly CommandSpec[], paint: Paint): string {
  const names = commands.map((spec): [string, string] => [spec.name, spec.summary]);
  const exits = Object.entries(EXIT_MEANINGS);
  return [
    'bulkhead runs a whole product in one container: PostgreSQL, an app and what they need, supervised.',
    '',
    section('Usage', paint),
    '  bulkhead COMMAND [OPTION…] [ARGUMENT…]',
    '',
    section('Commands', paint),
    ...pairs(names),
    '',
    section('Options of every command', paint),
    ...pairs(COMMON_OPTIONS.map(describeOption)),
    '',
    section('Exit codes', paint),
    ...pairs(exits),
    '',
    'More about one command: bulkhead COMMAND --help',
  ].join('\n');
}

/** The help of one command. */
export function renderCommandHelp(spec: CommandSpec, paint: Paint): string {
  const codes = [0, 1, 2, ...(spec.exits ?? [])];
  const exits =
    spec.name === 'up'
      ? UP_EXITS
      : codes.map((code): [string, string] => [String(code), EXIT_MEANINGS[code] ?? '']);
  const examples = spec.examples ?? [];
  return [
    `bulkhead ${spec.name}: ${spec.summary}`,
    '',
    section('Usage', paint),
    `  bulkhead ${spec.name}${spec.usage === undefined ? '' : ` ${spec.usage}`} [OPTION…]`,
    '',
    section('Options', paint),
    ...pairs(optionsOf(spec).map(describeOption)),
    '',
    section('Exit codes', paint),
    ...pairs(exits),
    ...(examples.length === 0
      ? []
      : ['', section('Examples', paint), ...examples.map((text) => `  ${text}`)]),
  ].join('\n');
}

/** The help of a first word that only groups commands: `config`, `db`. */
export function renderGroupHelp(commands: readonly CommandSpec[], group: string, paint: Paint): string {
  const members = commands.filter(({ name }) => name.startsWith(`${group} `));
  return [
    section(`bulkhead ${group}`, paint),
    ...pairs(members.map((spec): [string, string] => [spec.name, spec.summary])),
    '',
    `More about one of them: bulkhead ${group} COMMAND --help`,
  ].join('\n');
}

function section(title: string, paint: Paint): string {
  return paint('strong', title);
}

function describeOption({ name, short, value, summary }: OptionSpec): [string, string] {
  const long = `--${name}${value === undefined ? '' : ` ${value}`}`;
  return [short === undefined ? `    ${long}` : `-${short}, ${long}`, summary];
}

function pairs(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
