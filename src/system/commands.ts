/**
 * Runs tools (initdb, pg_restore …) for our child programs and the command line. Never part of PID 1: execa brings
 * megabytes with it.
 */

import type { Readable, Writable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { execa } from 'execa';
import { messageOf } from '../base/errors.ts';
import { confineCommand } from './confine.ts';
import { explainSpawnFailure } from './spawn-failure.ts';
import type { Identity } from './users.ts';

export interface ToolOptions {
  /** The whole environment; undefined: ours. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** Undefined, or ourselves: the tool runs as we do. */
  readonly identity?: Pick<Identity, 'uid' | 'gid' | 'groups' | 'name'> | undefined;
  /** Each line of stdout and stderr as it comes, without its end. */
  readonly onLine?: ((line: string, stream: 'stdout' | 'stderr') => void) | undefined;
  /** Aborting ends the tool by SIGTERM, five seconds later by SIGKILL. */
  readonly signal?: AbortSignal | undefined;
  /** Called once it runs, with what sends it a signal; does nothing when it has ended. */
  readonly onStart?: ((send: (signal: NodeJS.Signals) => void) => void) | undefined;
  /** What the tool reads; undefined: nothing. */
  readonly input?: string | Uint8Array | Readable | undefined;
  /** Takes stdout instead of `result.stdout`; for output that does not fit into memory. */
  readonly output?: Writable | undefined;
  /** The most that is kept of each of `stdout` and `stderr`: the end. In bytes, 1 MB if undefined. */
  readonly keep?: number | undefined;
}

/** The same shape whether it went well or not. */
export interface ToolResult {
  readonly failed: boolean;
  /** Undefined: killed, or never started. */
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
  /** One sentence for people; undefined where it did not fail. */
  readonly message: string | undefined;
}

const KEEP_BYTES = 1024 * 1024;
const KILL_AFTER_MS = 5000;

/** Runs a tool to its end. Never throws and never rejects: what goes wrong is in the result. */
export async function runTool(argv: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  const start = performance.now();
  const { cwd = '/', input, output } = options;
  const keep = options.keep ?? KEEP_BYTES;
  const stdout = keepEnd(keep, options.onLine && ((line) => options.onLine?.(line, 'stdout')));
  const stderr = keepEnd(keep, options.onLine && ((line) => options.onLine?.(line, 'stderr')));
  const finish = (how: Partial<ToolResult> & { message: string | undefined }): ToolResult => ({
    failed: how.message !== undefined,
    exitCode: undefined,
    signal: undefined,
    stdout: stdout.end(),
    stderr: stderr.end(),
    durationMs: performance.now() - start,
    ...how,
  });
  const [tool = ''] = argv;
  try {
    const env = options.env ?? process.env;
    const command = confineCommand(argv, { identity: options.identity }, env.PATH, cwd);
    const [program = '', ...rest] = command.argv;
    const child = execa(program, rest, {
      cwd,
      env,
      extendEnv: false,
      ...command.ids,
      ...(options.signal ? { cancelSignal: options.signal } : {}),
      forceKillAfterDelay: KILL_AFTER_MS,
      stdin: input === undefined ? 'ignore' : 'pipe',
      buffer: false,
      reject: false,
      encoding: 'buffer',
    });
    if (output) child.stdout.pipe(output, { end: false });
    else child.stdout.on('data', stdout.take);
    child.stderr.on('data', stderr.take);
    feed(child.stdin, input);
    if (child.pid !== undefined) options.onStart?.((signal) => void child.kill(signal));
    const result = await child;
    if (result.exitCode === undefined && result.signal === undefined && result.failed) {
      const { cause } = result;
      return finish({
        message: explainSpawnFailure(cause, { argv, cwd, user: options.identity?.name }).message,
      });
    }
    const { exitCode, signal } = result;
    return finish({
      exitCode,
      signal: signal as NodeJS.Signals | undefined,
      message: describeEnd(tool, result),
    });
  } catch (error) {
    return finish({ message: `cannot run ${tool}: ${messageOf(error)}` });
  }
}

function describeEnd(
  tool: string,
  result: {
    readonly isCanceled: boolean;
    readonly signal?: string;
    readonly exitCode?: number;
    readonly failed: boolean;
  },
): string | undefined {
  if (result.isCanceled) return `${tool} was asked to stop`;
  if (result.signal !== undefined) return `${tool} was killed by ${result.signal}`;
  if (result.exitCode !== 0) return `${tool} ended with code ${result.exitCode}`;
  return result.failed ? `${tool} failed` : undefined;
}

/** A tool that ends before it has read everything closes its stdin; its exit says why. */
function feed(stdin: Writable | null, input: ToolOptions['input']): void {
  if (!stdin || input === undefined) return;
  stdin.on('error', () => undefined);
  if (typeof input === 'string' || input instanceof Uint8Array) stdin.end(input);
  else input.pipe(stdin);
}

/** Keeps the last bytes as text, and tells lines on the way. */
function keepEnd(
  most: number,
  onLine: ((line: string) => void) | undefined,
): { take(chunk: Buffer): void; end(): string } {
  let text = '';
  let line = '';
  const decoder = new StringDecoder('utf8');
  const add = (part: string): void => {
    text += part;
    if (text.length > 2 * most) text = text.slice(-most);
    if (!onLine) return;
    const lines = (line + part).split('\n');
    line = lines.pop() ?? '';
    for (const each of lines) onLine(each);
  };
  return {
    take: (chunk) => add(decoder.write(chunk)),
    end: () => {
      add(decoder.end());
      if (line !== '') onLine?.(line);
      line = '';
      return text.slice(-most);
    },
  };
}
