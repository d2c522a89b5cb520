import { parseArgs } from 'node:util';
import { parseDuration } from '../base/duration.ts';
import { Failure } from '../base/errors.ts';
import { suggestWord } from '../base/suggest.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import type { CommandSpec, OptionSpec, ParsedCommand } from './command.ts';

/** Options every command understands. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { name: 'json', summary: 'print JSON, in shapes that bear a schemaVersion' },
  { name: 'data', value: 'DIR', summary: 'the volume of the supervisor that is meant (BULKHEAD_DATA)' },
  { name: 'socket', value: 'PATH', summary: 'the control socket itself' },
  { name: 'no-color', summary: 'no colours (also NO_COLOR)' },
  { name: 'help', short: 'h', summary: 'explain the command' },
];

/** Its own and the common ones; where a name is in both, it means what the command says. */
export function optionsOf({ options = [] }: CommandSpec): readonly OptionSpec[] {
  const isOwn = (name: string): boolean => options.some((own) => own.name === name);
  return [...options, ...COMMON_OPTIONS.filter(({ name }) => !isOwn(name))];
}

export function usageFailure(message: string, remedy: string): Failure {
  return new Failure(message, { code: 'usage', remedy, exitCode: CommandExit.usage });
}

/** Parses what follows the command's name; throws a usage Failure that names the nearest option. */
export function parseCommand(spec: CommandSpec, argv: readonly string[]): ParsedCommand {
  const options = optionsOf(spec);
  const [own, passedOn] = spec.passOn === 'after-first' ? splitAfterFirst(argv, options) : [argv, undefined];
  const { tokens } = parseArgs({
    args: [...own],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(options.map((option) => [option.name, nodeOption(option)])),
  });
  const found = new Map<string, string[]>();
  const words: string[] = [];
  const rest: string[] = [];
  let afterDashes = false;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') afterDashes = true;
    else if (token.kind === 'positional') (afterDashes && spec.passOn ? rest : words).push(token.value);
    else readOption(spec, options, token, found);
  }
  if (!found.has('help')) checkArity(spec, words);
  return {
    words,
    rest: passedOn ?? rest,
    has: (name) => found.has(name),
    value: (name) => found.get(name)?.at(-1),
    values: (name) => found.get(name) ?? [],
    duration: (name) => readDuration(spec, name, found.get(name)?.at(-1)),
  };
}

function nodeOption({ value, short }: OptionSpec): { type: 'string' | 'boolean'; short?: string } {
  return { type: value === undefined ? 'boolean' : 'string', ...(short === undefined ? {} : { short }) };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function readOption(
  spec: CommandSpec,
  options: readonly OptionSpec[],
  token: OptionToken,
  found: Map<string, string[]>,
): void {
  const option = options.find(({ name }) => name === token.name);
  const help = `see: bulkhead ${spec.name} --help`;
  if (!option) {
    const meant = suggestWord(
      token.name,
      options.map(({ name }) => name),
    );
    const passOn =
      spec.passOn === 'after-dashes'
        ? `for the other program, write: bulkhead ${spec.name} -- ${token.rawName} …`
        : help;
    const remedy = meant === undefined ? passOn : `did you mean --${meant}?`;
    throw usageFailure(`cannot run ${spec.name}: unknown option ${token.rawName}`, remedy);
  }
  if (option.value === undefined) {
    if (token.value !== undefined)
      throw usageFailure(`cannot run ${spec.name}: --${option.name} takes no value`, help);
    found.set(option.name, []);
    return;
  }
  const { value } = token;
  if (value === undefined || (value.startsWith('-') && value !== '-' && token.inlineValue !== true)) {
    throw usageFailure(
      `cannot run ${spec.name}: --${option.name} needs a value`,
      `write --${option.name} ${option.value}`,
    );
  }
  if (option.oneOf && !option.oneOf.includes(value)) {
    const meant = suggestWord(value, option.oneOf);
    throw usageFailure(
      `cannot run ${spec.name}: --${option.name} must be ${option.oneOf.join(' or ')}, not "${value}"`,
      meant === undefined ? help : `did you mean ${meant}?`,
    );
  }
  found.set(option.name, [...(found.get(option.name) ?? []), value]);
}

function checkArity(spec: CommandSpec, words: readonly string[]): void {
  const { least, most } = spec.arity ?? { least: 0, most: 0 };
  const usage = `write: bulkhead ${spec.name}${spec.usage === undefined ? '' : ` ${spec.usage}`}`;
  if (words.length < least) throw usageFailure(`cannot run ${spec.name}: an argument is missing`, usage);
  const extra = words[most];
  if (extra !== undefined)
    throw usageFailure(`cannot run ${spec.name}: unexpected argument "${extra}"`, usage);
}

function readDuration(spec: CommandSpec, name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  // A bare number of seconds is what timeout(1) and most tools take.
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : parseDuration(text);
  if (ms !== undefined) return ms;
  throw usageFailure(
    `cannot run ${spec.name}: --${name} must be a duration, not "${text}"`,
    'write it like 30s, 5m or 1h30m',
  );
}

/**
 * Cuts argv where the other program's command line begins: behind the first plain argument and the options that
 * follow it (no command begins with a dash); one `--` between is dropped.
 */
function splitAfterFirst(
  argv: readonly string[],
  options: readonly OptionSpec[],
): [own: readonly string[], rest: readonly string[]] {
  let found = 0;
  let index = 0;
  for (; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') break;
    if (word.startsWith('-') && word !== '-') {
      const option = options.find(({ name, short }) => word === `--${name}` || word === `-${short}`);
      if (option?.value !== undefined) index += 1;
      continue;
    }
    found += 1;
    if (found === 2) break;
  }
  const rest = argv.slice(index);
  return [argv.slice(0, index), rest[0] === '--' ? rest.slice(1) : rest];
}
