/**
 * The program `command`: one command of the command line, run beside PID 1 because the API asked for it. What several
 * programs do together (restore, upgrade), and what only a look at the machine can tell (doctor), is written here once.
 * It has all rights of the supervisor, so it does not trust who asks: what it may be is this list.
 */
import { PassThrough } from 'node:stream';
import { Failure } from '../base/errors.ts';
import type { Assignment, Report } from '../protocol/channel.ts';
import { CommandExit } from '../protocol/exit-codes.ts';
import { runCli } from './cli.ts';
import type { Doors } from './command.ts';
import type { Sink, Surroundings } from './surroundings.ts';

interface Askable {
  readonly options: readonly string[];
  /** What a plain argument becomes; undefined: it may not be that. Missing: there are none. */
  readonly word?: (word: string, dataDir: string) => string | undefined;
  /** What one may be, where not every plain name is meant. */
  readonly words?: string;
}

/** Never a path: an id, `latest`, a service, a tier. */
const plainName = (word: string): string | undefined =>
  /^[A-Za-z0-9_][\w.-]{0,199}$/.test(word) ? word : undefined;
/** Who asks writes a text: one bad expression would keep a processor, with our rights, for longer than anybody waits. */
const literal = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
const OPERATION = ['yes', 'dry-run', 'timeout'];

const ASKABLE: Readonly<Record<string, Askable>> = {
  doctor: { options: [] },
  tier: { options: [] },
  'config check': { options: [] },
  'config show': { options: [] },
  'config diff': { options: [], word: plainName },
  health: { options: ['deep'] },
  logs: { options: ['since', 'grep', 'tail', 'job'], word: plainName },
  'backup list': { options: ['kind', 'offsite'] },
  'backup restore': {
    options: ['to-time', 'to-latest', 'from-offsite', 'kind', 'replace', ...OPERATION],
    word: plainName,
    words: 'the id of a backup, its beginning, or latest: over HTTP there are no paths',
  },
  'db import': {
    options: ['replace', 'yes', 'timeout'],
    // Of the folder that dumps are put into for that, and nothing else of this machine.
    word: (word, dataDir) => plainName(word) && `${dataDir}/import/${word}`,
    words: 'the name of a file in the folder import of the volume',
  },
  'db upgrade': { options: ['to', 'yes-without-backup', ...OPERATION] },
  'db rollback': { options: ['forget', ...OPERATION], word: plainName },
};

/** Of what a command prints: the newest so many documents, unless `keep` says otherwise. */
const USUAL_KEEP = 1;
const MOST_KEEP = 10_000;
/** Of them together, in characters, but for one that is longer by itself: lines of a log may be 64 KiB each. */
const MOST_TEXT = 1024 * 1024;

/** As of a program; a client knows no room of programs. */
export interface AskedJob {
  readonly assignment: Assignment;
  readonly signal: AbortSignal;
  report(report: Report): void;
  endWith(code: number): void;
}

/**
 * Input: `command`; `words`, JSON of a list; `options`, JSON of an object of texts, or true for a flag; `keep`. Reports
 * each JSON document it prints as a result, and ends with its exit code.
 */
export async function runAskedCommand(job: AskedJob, doors: Doors): Promise<void> {
  const { input, dataDir, command } = job.assignment;
  const argv = readArgv(input, dataDir);
  const keep = Math.min(MOST_KEEP, Number(input.keep ?? USUAL_KEEP));
  const printed: string[] = [];
  let length = 0;
  const code = await runCli(
    argv,
    doors,
    surroundings(job, command?.env ?? {}, (line) => {
      printed.push(line);
      length += line.length;
      // The newest are worth most.
      while (printed.length > keep || (length > MOST_TEXT && printed.length > 1))
        length -= printed.shift()?.length ?? length;
    }),
  );
  for (const line of printed) report(job, line);
  job.endWith(code);
}

function report(job: AskedJob, line: string): void {
  const value = JSON.parse(line) as {
    readonly error?: { readonly message: string; readonly remedy?: string };
  };
  const { error } = value;
  if (error === undefined) job.report({ type: 'result', value });
  else job.report({ type: 'failure', message: error.message, remedy: error.remedy });
}

function readArgv(input: Assignment['input'], dataDir: string): string[] {
  const name = input.command ?? '';
  const askable = Object.hasOwn(ASKABLE, name) ? ASKABLE[name] : undefined;
  if (askable === undefined) throw refused(`the command "${name}"`);
  const options = Object.entries(JSON.parse(input.options ?? '{}') as Record<string, unknown>).map(
    ([option, value]) => {
      if (!askable.options.includes(option)) throw refused(`--${option} of ${name}`);
      if (value === true) return `--${option}`;
      if (typeof value !== 'string') throw refused(`--${option} of ${name}`);
      return `--${option}=${option === 'grep' ? literal(value) : value}`;
    },
  );
  const words = (JSON.parse(input.words ?? '[]') as readonly unknown[]).map((word) => {
    const meant = typeof word === 'string' ? askable.word?.(word, dataDir) : undefined;
    if (meant === undefined) throw refused(`${JSON.stringify(word)} of ${name}`, askable.words);
    return meant;
  });
  return [...name.split(' '), ...options, '--json', '--', ...words];
}

function refused(what: string, instead?: string): Failure {
  return new Failure(`cannot run ${what}: it is not for the API`, {
    exitCode: CommandExit.refused,
    ...(instead === undefined ? {} : { remedy: `give it ${instead}` }),
  });
}

function surroundings(
  job: AskedJob,
  env: Surroundings['env'],
  onDocument: (line: string) => void,
): Surroundings {
  return {
    env,
    cwd: process.cwd(),
    namesOnly: true,
    uid: process.getuid?.() ?? 0,
    out: lineSink(onDocument),
    err: lineSink((text) => job.report({ type: 'note', text })),
    stdin: new PassThrough().end(),
    hear: (report) => job.report(report),
    now: Date.now,
    onSignal(signal, listener) {
      if (signal !== 'SIGTERM') return () => undefined;
      job.signal.addEventListener('abort', listener, { once: true });
      return () => job.signal.removeEventListener('abort', listener);
    },
  };
}

function lineSink(onLine: (line: string) => void): Sink {
  let rest = '';
  return {
    write(data) {
      const lines = (rest + (typeof data === 'string' ? data : Buffer.from(data).toString('utf8'))).split(
        '\n',
      );
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') onLine(line);
    },
    isTTY: false,
    columns: undefined,
    closed: new AbortController().signal,
    flushed: () => Promise.resolve(),
  };
}
