import { suggestWord } from '../base/suggest.ts';
import { COMMON_OPTIONS, usageFailure } from './arguments.ts';
import type { CommandSpec } from './command.ts';

export interface FoundCommand {
  readonly spec: CommandSpec;
  /** argv without the command's own words; options before it are kept. */
  readonly rest: readonly string[];
}

/** Which command is meant. None at all is `help`; a wrong one is a usage Failure with the nearest right one. */
export function findCommand(commands: readonly CommandSpec[], argv: readonly string[]): FoundCommand {
  const at = firstWord(argv);
  const first = argv[at];
  const before = argv.slice(0, at);
  if (first === undefined)
    return {
      spec: mustFind(commands, before.includes('--version') ? 'version' : 'help'),
      rest: withoutWish(before),
    };
  const single = commands.find(({ name }) => name === first);
  if (single) {
    if (single.name === 'up') refuseSecondCommand(commands, argv.slice(at + 1));
    return { spec: single, rest: [...before, ...argv.slice(at + 1)] };
  }
  const group = commands.filter(({ name }) => name.startsWith(`${first} `));
  if (group.length > 0) return findInGroup(commands, first, group, before, argv.slice(at + 1));
  const names = [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))];
  throw unknownCommand(first, ALIASES[first] ?? suggestWord(first, names));
}

/** `docker run IMAGE status`: the image runs `up`, and a second supervisor is not what was meant. */
function refuseSecondCommand(commands: readonly CommandSpec[], after: readonly string[]): void {
  const [word] = after;
  if (word === undefined || word === 'up') return;
  if (!commands.some(({ name }) => name === word || name.startsWith(`${word} `))) return;
  throw usageFailure(
    `cannot run up: unexpected argument "${word}", a command of its own`,
    `run it beside the running one: docker exec CONTAINER bulkhead ${after.join(' ')}`,
  );
}

/** Words people bring from elsewhere. */
const ALIASES: Readonly<Record<string, string>> = {
  ps: 'status',
  ls: 'status',
  list: 'status',
  log: 'logs',
  tail: 'logs -f',
  run: 'up',
  down: 'stop',
  kill: 'stop',
  check: 'config check',
  psql: 'db psql',
};

function findInGroup(
  commands: readonly CommandSpec[],
  first: string,
  group: readonly CommandSpec[],
  before: readonly string[],
  after: readonly string[],
): FoundCommand {
  const second = after[0];
  if (second === undefined || second === '--help' || second === '-h') {
    return { spec: mustFind(commands, 'help'), rest: [...before, first] };
  }
  const spec = group.find(({ name }) => name === `${first} ${second}`);
  if (spec) return { spec, rest: [...before, ...after.slice(1)] };
  const meant = suggestWord(
    second,
    group.map(({ name }) => name.slice(first.length + 1)),
  );
  throw unknownCommand(`${first} ${second}`, meant === undefined ? undefined : `${first} ${meant}`);
}

function unknownCommand(name: string, meant: string | undefined) {
  const remedy = meant === undefined ? 'see all commands: bulkhead help' : `did you mean: bulkhead ${meant}`;
  return usageFailure(`cannot run "${name}": no such command`, remedy);
}

/** Options of every command may stand before its name: `bulkhead --data X status`. */
function firstWord(argv: readonly string[]): number {
  let index = 0;
  for (; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (!word.startsWith('-')) break;
    if (COMMON_OPTIONS.some(({ name, value }) => value !== undefined && word === `--${name}`)) index += 1;
  }
  return index;
}

function withoutWish(options: readonly string[]): string[] {
  return options.filter((option) => !['--version', '-v', '-V', '--help', '-h'].includes(option));
}

function mustFind(commands: readonly CommandSpec[], name: string): CommandSpec {
  const spec = commands.find((each) => each.name === name);
  if (spec) return spec;
  throw new Error(`the catalogue has no command ${name}`);
}
