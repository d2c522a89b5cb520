import { Readable, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { runTool } from '../../src/system/commands.ts';

const isRoot = process.getuid?.() === 0;

test('a tool that goes well gives its output', async () => {
  expect(await runTool(['sh', '-c', 'echo out; echo err >&2'])).toMatchObject({
    failed: false,
    exitCode: 0,
    signal: undefined,
    stdout: 'out\n',
    stderr: 'err\n',
    message: undefined,
  });
});

test.each([
  [
    'a code',
    ['sh', '-c', 'echo why >&2; exit 3'],
    { exitCode: 3, stderr: 'why\n', message: 'sh ended with code 3' },
  ],
  ['a signal', ['sh', '-c', 'kill -9 $$'], { signal: 'SIGKILL', message: 'sh was killed by SIGKILL' }],
  [
    'no such program',
    ['/nowhere/tool'],
    { exitCode: undefined, message: 'cannot start /nowhere/tool: there is no such file' },
  ],
  ['no rights', ['/etc/passwd'], { message: 'cannot start /etc/passwd: permission denied' }],
])('a tool that fails by %s says so in the same shape', async (_how, argv, result) => {
  expect(await runTool(argv)).toMatchObject({ failed: true, ...result });
});

test('a tool reads a text or a stream', async () => {
  expect((await runTool(['cat'], { input: 'text' })).stdout).toBe('text');
  expect((await runTool(['cat'], { input: Readable.from(['a', 'b']) })).stdout).toBe('ab');
  expect((await runTool(['true'], { input: 'x'.repeat(1_000_000) })).failed).toBe(false);
});

test('lines are told as they come, whole, and the last one without its end too', async () => {
  const lines: string[] = [];
  await runTool(['sh', '-c', 'printf "one\\ntw"; sleep 0.02; printf "o\\nthree"; echo err >&2'], {
    onLine: (line, stream) => lines.push(`${stream} ${line}`),
  });
  expect(lines.filter((line) => line.startsWith('stdout'))).toEqual([
    'stdout one',
    'stdout two',
    'stdout three',
  ]);
  expect(lines).toContain('stderr err');
});

test('of long output the end is kept', async () => {
  const { stdout } = await runTool(['seq', '100000'], { keep: 100 });
  expect(stdout).toHaveLength(100);
  expect(stdout.endsWith('\n99999\n100000\n')).toBe(true);
});

test('output goes into a stream instead', async () => {
  let bytes = 0;
  const output = new Writable({
    write(chunk, _encoding, done) {
      bytes += chunk.length;
      done();
    },
  });
  const result = await runTool(['seq', '100000'], { output });
  output.end();
  expect(result).toMatchObject({ failed: false, stdout: '' });
  expect(bytes).toBe(588_895);
});

test('an aborted tool ends', async () => {
  const stop = new AbortController();
  const result = runTool(['sleep', '1000'], { signal: stop.signal });
  stop.abort();
  expect(await result).toMatchObject({ failed: true, message: 'sleep was asked to stop' });
});

test('the environment is the given one, whole', async () => {
  expect((await runTool(['/usr/bin/env'], { env: { ONLY: 'this' } })).stdout).toBe('ONLY=this\n');
});

test.runIf(isRoot)('a tool runs as another user', async () => {
  const identity = { uid: 65534, gid: 65534, groups: [], name: 'nobody' };
  expect((await runTool(['id', '-u'], { identity })).stdout).toBe('65534\n');
});
