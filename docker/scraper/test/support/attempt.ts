import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { Report } from '../../src/job.ts';

export interface Attempt {
  readonly pid: number;
  /** Resolves when a report says this. */
  heard(text: string): Promise<void>;
  /** The end: its code, and all that it said. */
  readonly ended: Promise<{
    code: number | null;
    signal: NodeJS.Signals | null;
    reports: Report[];
    output: string;
  }>;
}

/**
 * Starts a program as the supervisor does: a group of its own, the assignment on fd 3, reports back on it.
 * @param before what stands before the command
 */
export function startAttempt(
  program: string,
  data: unknown,
  environment: NodeJS.ProcessEnv,
  before: readonly string[] = [],
): Attempt {
  const file = join(import.meta.dirname, '..', '..', 'src', `${program}.ts`);
  const [command = '', ...rest] = [...before, process.execPath, file];
  const child = spawn(command, rest, {
    env: {
      PATH: process.env.PATH,
      CHROMIUM_PATH: process.env.CHROMIUM_PATH,
      BULKHEAD_JOB_ID: 'x',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const channel = child.stdio[3] as Duplex;
  let said = '';
  let output = '';
  const waiting = new Map<string, () => void>();
  channel.on('data', (chunk) => {
    said += chunk;
    for (const [text, resolve] of waiting) if (said.includes(text)) resolve();
  });
  channel.on('error', () => {});
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  channel.write(`${JSON.stringify({ id: 'x', type: program, attempt: 1, data })}\n`);
  const ended = once(child, 'close').then(([code, signal]) => {
    const lines = said.split('\n').filter(Boolean);
    return { code, signal, output, reports: lines.map((line) => JSON.parse(line) as Report) };
  });
  const heard = (text: string) =>
    Promise.race([
      new Promise<void>((resolve) => (said.includes(text) ? resolve() : waiting.set(text, resolve))),
      ended.then(({ output }) => Promise.reject(new Error(`it ended without "${text}":\n${output}`))),
    ]);
  return { pid: child.pid ?? 0, heard, ended };
}
