import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readLog } from '../../support/log-files.ts';

const programs = join(import.meta.dirname, '../../programs');
let folder = '';
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-logs-'));
});
afterEach(() => {
  if (child?.exitCode === null) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  /** Standard error so far. */
  said(): string;
  /** Resolves once standard error contains this. */
  says(word: string): Promise<void>;
  ended: Promise<number | null>;
}

function run(stdout: 'pipe' | 'ignore', args: readonly string[], env: Record<string, string> = {}): Run {
  const started = spawn(process.execPath, [join(programs, 'logs-a-flood.ts'), folder, ...args], {
    stdio: ['ignore', stdout, 'pipe'],
    env: { ...process.env, NODE_NO_WARNINGS: '1', ...env },
  });
  child = started;
  let text = '';
  const waiting = new Set<() => void>();
  started.stderr?.on('data', (chunk: Buffer) => {
    text += chunk;
    for (const check of waiting) check();
  });
  return {
    child: started,
    said: () => text,
    says: (word) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!text.includes(word)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    ended: new Promise((resolve) => started.on('close', (code) => resolve(code))),
  };
}

const flood = (lines: number, ...more: string[]): string[] => [
  process.execPath,
  join(programs, 'floods-stdout.mjs'),
  String(lines),
  ...more,
];

function fileLines(): string[] {
  return readLog(folder, 'app').toString('latin1').split('\n').slice(0, -1);
}

describe('a real service and a real standard output', () => {
  it('every one of a million lines, 120 MB, is in the file, whole and in order', async () => {
    const { ended } = run('ignore', flood(1_000_000));
    expect(await ended).toBe(0);
    const lines = fileLines();
    expect(lines).toHaveLength(1_000_000);
    const wrong = lines.findIndex(
      (line, index) => !line.endsWith(`${String(index + 1).padStart(10, '0')} ${'x'.repeat(108)}`),
    );
    expect(wrong).toBe(-1);
  });

  it('law 30: the last words before a kill -9 are in the file and on standard output', async () => {
    const { child, ended } = run('pipe', flood(1000, 'then-dies'));
    let shown = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      shown += chunk;
    });
    expect(await ended).toBe(0);
    expect(fileLines().at(-1)).toMatch(/ stdout F last words, no newline$/);
    expect(shown.split('\n').at(-2)).toMatch(/\| last words, no newline$/);
  });

  it('a standard output nobody reads stops neither the service nor us, and what it missed is said', async () => {
    const { child, ended, says, said } = run('pipe', flood(200_000));
    await says('drained');
    expect(fileLines()).toHaveLength(200_000);
    expect(said()).toContain('alive');
    let shown = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      shown += chunk;
    });
    expect(await ended).toBe(0);
    const { outputDropped } = JSON.parse(said().trim().split('\n').at(-1) ?? '');
    expect(outputDropped).toBeGreaterThan(0);
    const dropped = [...shown.matchAll(/dropped (\d+) lines of standard output/g)].map(([, count]) =>
      Number(count),
    );
    expect(dropped.reduce((sum, count) => sum + count, 0)).toBe(outputDropped);
    expect(shown.split('\n').filter((line) => / app +\| \d{10} x/.test(line))).toHaveLength(
      200_000 - outputDropped,
    );
  });

  it('ends in time though nobody ever reads its standard output', async () => {
    const { ended, says } = run('pipe', flood(200_000), { CLOSE_WITHIN: '200' });
    await says('outputQueued');
    // The test's end of the pipe is never read; only its closing by the other side ends it.
    await says('memory');
    child?.stdout?.destroy();
    expect(await ended).toBe(0);
  });

  it('a closed standard output costs nothing but itself', async () => {
    const { child, ended, said } = run('pipe', flood(200_000));
    child.stdout?.destroy();
    expect(await ended).toBe(0);
    expect(fileLines()).toHaveLength(200_000);
    expect(JSON.parse(said().trim().split('\n').at(-1) ?? '')).toMatchObject({ outputQueued: 0 });
  });
});
