/** The command line: argv in, exit code out. Only what parsing needs is loaded here; a command loads its own. */
import { Failure, messageOf } from '../base/errors.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { SCHEMA_VERSION } from '../protocol/schema-version.ts';
import { parseCommand } from './arguments.ts';
import { COMMANDS } from './catalogue.ts';
import type { Client } from './client.ts';
import type { CommandSpec, Context, Doors, ParsedCommand } from './command.ts';
import { localAdvice } from './command-name.ts';
import { findCommand } from './find-command.ts';
import { processSurroundings, type Surroundings } from './surroundings.ts';
import { createPaint, wantsColor } from './terminal.ts';

/**
 * Runs one command line (without node and script) and resolves with the exit code, see protocol/exit-codes.ts.
 * The process is not ended here: what was written still has to leave.
 */
export async function runCli(
  argv: readonly string[],
  doors: Doors = {},
  io: Surroundings = processSurroundings(),
): Promise<number> {
  // Known before anything is parsed, so that a usage error is JSON too.
  const json = argv.slice(0, endOfOptions(argv)).includes('--json');
  try {
    const { spec, rest } = findCommand(COMMANDS, argv);
    const given = parseCommand(spec, rest);
    const context = createContext(spec, given, io, doors);
    if (given.has('help')) {
      const { renderCommandHelp } = await import('./help.ts');
      context.io.out.write(`${renderCommandHelp(spec, context.paint)}\n`);
      return CommandExit.ok;
    }
    const { run } = await spec.load();
    return await run(context);
  } catch (error) {
    return tell(error, json, io);
  } finally {
    await Promise.all([io.out.flushed(), io.err.flushed()]);
  }
}

function endOfOptions(argv: readonly string[]): number {
  const dashes = argv.indexOf('--');
  return dashes < 0 ? argv.length : dashes;
}

function createContext(spec: CommandSpec, given: ParsedCommand, io: Surroundings, doors: Doors): Context {
  const json = given.has('json');
  const color = !json && wantsColor(io.out, io.env, given.has('no-color'));
  return {
    commands: COMMANDS,
    spec,
    given,
    io,
    doors,
    json,
    color,
    paint: createPaint(color),
    client: () => openClient(spec, given, io),
    say(text) {
      if (!json) io.out.write(`${localAdvice(text, io.env)}\n`);
    },
    sayAsIs(text) {
      if (!json) io.out.write(`${text}\n`);
    },
    sayJson(value) {
      io.out.write(`${JSON.stringify(value)}\n`);
    },
    remark(text) {
      io.err.write(`${localAdvice(text, io.env)}\n`);
    },
  };
}

async function openClient(spec: CommandSpec, given: ParsedCommand, io: Surroundings): Promise<Client> {
  const [{ createClient }, { findPlace }] = await Promise.all([import('./client.ts'), import('./place.ts')]);
  const { env, cwd, uid } = io;
  // A command that has a `--data` of its own is told the volume by BULKHEAD_DATA.
  const isOwn = spec.options?.some(({ name }) => name === 'data') === true;
  const data = isOwn ? undefined : given.value('data');
  return createClient(findPlace({ env, cwd, uid, data, socket: given.value('socket') }));
}

/** Cause and fact first, the fix last; a bug shows its stack, because only a bug needs one. */
function tell(error: unknown, json: boolean, io: Surroundings): number {
  if (io.out.closed.aborted) return CommandExit.ok;
  const failure = error instanceof Failure ? error : undefined;
  const remedy = failure?.remedy === undefined ? undefined : localAdvice(failure.remedy, io.env);
  const exitCode = failure?.exitCode ?? CommandExit.failed;
  if (json) {
    const body = {
      code: failure?.code ?? (failure ? 'failed' : 'internal'),
      message: messageOf(error),
      remedy,
      exitCode,
    };
    io.out.write(`${JSON.stringify({ schemaVersion: SCHEMA_VERSION, error: body })}\n`);
    return exitCode;
  }
  const paint = createPaint(wantsColor(io.err, io.env));
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = failure ? failure.message : `internal error: ${stack}`;
  io.err.write(`${paint('bad', 'error:')} ${message}\n`);
  if (remedy !== undefined) io.err.write(`${paint('dim', 'fix:')} ${remedy}\n`);
  return exitCode;
}
