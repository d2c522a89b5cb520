import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { fakeTarget, openControl } from '../support/control-target.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
const run = promisify(execFile);

/** The command line as a process of its own, inside a shell, with `$BH` standing for it. */
function shell(script: string, socket: string): Promise<{ stdout: string; stderr: string }> {
  return run('bash', ['--norc', '-c', script, 'bash', process.execPath, main, socket], {
    env: { PATH: process.env.PATH ?? '', NODE_DISABLE_COMPILE_CACHE: '1' },
  });
}

describe('the command line in a pipe', () => {
  test('ends quietly when its reader has enough', async () => {
    const target = fakeTarget();
    const line = {
      time: '2026-01-01T00:00:00.000Z',
      service: 'app',
      stream: 'stdout',
      line: 'again',
    } as const;
    await using control = await openControl(target);
    // Lines go on coming until the command has noticed that nobody reads them any more.
    const writing = setInterval(() => target.write(line), 2);
    try {
      const script = '"$1" "$2" logs -f --socket "$3" | head -n 2; echo "$PIPESTATUS"';
      expect(await shell(script, control.path)).toEqual({
        stdout: 'app | again\napp | again\n0\n',
        stderr: '',
      });
    } finally {
      clearInterval(writing);
    }
    await expect.poll(() => target.followers.logs).toBe(0);
  });

  test('loses nothing of a long answer to a slow reader', async () => {
    const target = fakeTarget();
    for (let index = 0; index < 20_000; index += 1) {
      target.write({
        time: '2026-01-01T00:00:00.000Z',
        service: 'app',
        stream: 'stdout',
        line: `line ${index}`,
      });
    }
    await using control = await openControl(target);
    const script = '"$1" "$2" logs --tail all --socket "$3" | { sleep 0.3; tail -n 1; }';
    expect((await shell(script, control.path)).stdout).toBe('app | line 19999\n');
  });

  test('stops following at Ctrl-C with exit 0', async () => {
    const target = fakeTarget();
    await using control = await openControl(target);
    const child = spawn(process.execPath, [main, 'events', '-f', '--socket', control.path], {
      stdio: 'pipe',
      env: { NODE_DISABLE_COMPILE_CACHE: '1' },
    });
    const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    child.stdout.once('data', () => child.kill('SIGINT'));
    const telling = setInterval(() => target.events.append({ type: 'noted', text: 'hello' }), 5);
    expect(await exited).toEqual({ code: 0, signal: null });
    clearInterval(telling);
  });

  test('carries a large input through exec unharmed', async () => {
    await using control = await openControl(fakeTarget());
    const script =
      'head -c 3000000 /dev/zero | "$1" "$2" exec --socket "$3" app -- sh -c "wc -c; exit 5"; echo "$?"';
    expect((await shell(script, control.path)).stdout).toBe('3000000\n5\n');
  });

  test('carries a large output through exec to a slow reader, exit code included', async () => {
    await using control = await openControl(fakeTarget());
    const script =
      '"$1" "$2" exec --socket "$3" app -- sh -c "head -c 3000000 /dev/zero; exit 6" | { sleep 0.3; wc -c; }; echo "$PIPESTATUS"';
    expect((await shell(script, control.path)).stdout).toBe('3000000\n6\n');
  });
});
