import { Readable } from 'node:stream';
import { runCli } from '../../src/cli/cli.ts';
import type { Doors } from '../../src/cli/command.ts';
import type { Sink, Surroundings } from '../../src/cli/surroundings.ts';
import { EXAMPLE_NOW } from './product.ts';

export interface Typed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface TypingOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Columns of standard output; undefined: a pipe. */
  readonly columns?: number;
  readonly stdin?: string;
  readonly doors?: Doors;
  readonly onOut?: (text: string) => void;
}

export interface Typing {
  readonly done: Promise<Typed>;
  /** Delivers a signal to the command, as Ctrl-C does. */
  interrupt(signal: NodeJS.Signals): void;
  /** The reader of standard output goes away, as `head` does. */
  hangUp(): void;
}

/** Runs one command line with surroundings of its own. */
export function startTyping(argv: readonly string[], options: TypingOptions = {}): Typing {
  const listeners = new Map<string, Set<() => void>>();
  const out = recordingSink(options.columns, options.onOut);
  const err = recordingSink(undefined);
  const io: Surroundings = {
    env: options.env ?? {},
    cwd: options.cwd ?? '/',
    uid: process.getuid?.() ?? 0,
    out: out.sink,
    err: err.sink,
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    now: () => EXAMPLE_NOW,
    onSignal: (signal, listener) => {
      const all = listeners.get(signal) ?? new Set();
      listeners.set(signal, all.add(listener));
      return () => all.delete(listener);
    },
  };
  const done = runCli(argv, options.doors, io).then((code) => ({ code, out: out.text(), err: err.text() }));
  return {
    done,
    interrupt: (signal) => {
      for (const listener of listeners.get(signal) ?? []) listener();
    },
    hangUp: () => out.close(),
  };
}

/** Runs one command line to its end. */
export function type(argv: readonly string[], options?: TypingOptions): Promise<Typed> {
  return startTyping(argv, options).done;
}

function recordingSink(columns: number | undefined, onText: (text: string) => void = () => {}) {
  const closed = new AbortController();
  let text = '';
  const sink: Sink = {
    write: (data) => {
      const more = Buffer.from(data).toString();
      text += more;
      onText(more);
    },
    isTTY: columns !== undefined,
    columns,
    closed: closed.signal,
    flushed: async () => {},
  };
  return { sink, text: () => text, close: () => closed.abort() };
}
