import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listOwnedPids } from '../../src/system/children.ts';
import { awaitExit, type Exit } from '../../src/system/exits.ts';
import { type PlainSpawn, spawnPlainly } from '../../src/system/posix-spawn.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-spawn-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs it with its standard output into a file; the end and what it wrote. */
async function run(argv: readonly string[], options: Partial<PlainSpawn> = {}) {
  const path = join(folder, 'output');
  const fd = openSync(path, 'w');
  const fds = [1, 2].map((theirs) => ({ ours: fd, theirs }));
  try {
    const pid = spawnPlainly({ argv, env: { PATH: process.env.PATH ?? '' }, cwd: folder, fds, ...options });
    const exit = await new Promise<Exit>((resolve) => awaitExit(pid, resolve));
    return { ...exit, output: readFileSync(path, 'utf8'), pid };
  } finally {
    closeSync(fd);
  }
}

function script(path: string, text: string, mode = 0o755): string {
  writeFileSync(join(folder, path), text);
  chmodSync(join(folder, path), mode);
  return join(folder, path);
}

test('a child has its arguments, environment, folder and session, and the descriptors it was given', async () => {
  const look =
    'printf "%s|%s|%s\\n" "$1" "$WORD" "$(pwd -P)"; readlink /proc/$$/fd/[012] | tr "\\n" " "; cut -d" " -f5,6 /proc/$$/stat';
  const env = { PATH: '/usr/bin:/bin', WORD: 'ünïcödé $x' };
  const path = join(folder, 'output');
  const { output, pid, code } = await run(['sh', '-c', look, 'sh', 'a b'], { env });
  expect(code).toBe(0);
  expect(output.split('\n').slice(0, 2)).toEqual([
    `a b|ünïcödé $x|${folder}`,
    `/dev/null ${path} ${path} ${pid} ${pid}`,
  ]);
});

test.each([
  ['exit 3', { code: 3, signal: null }],
  ['exit 255', { code: 255, signal: null }],
  ['kill -KILL $$', { code: null, signal: 'SIGKILL' }],
  ['kill -ABRT $$', { code: null, signal: 'SIGABRT' }],
])('`%s` ends as wait(2) says', async (words, end) => {
  expect(await run(['sh', '-c', words])).toMatchObject(end);
});

test('signals that we ignore or hear mean to a child what they mean to the kernel', async () => {
  const status = await run(['grep', '-E', '^Sig(Ign|Blk)', '/proc/self/status']);
  expect(status.output.match(/[0-9a-f]{16}/g)).toEqual(Array.from({ length: 2 }, () => '0'.repeat(16)));
});

test('two hundred ends at once are all told, beside children of Node and orphans nobody asks for', async () => {
  const nodes = Array.from({ length: 20 }, () => {
    const child = spawn('sh', ['-c', 'exit 7']);
    return new Promise<number | null>((resolve) => child.once('exit', resolve));
  });
  const ours = Array.from({ length: 200 }, (_, index) => {
    const argv = ['sh', '-c', `exit ${index % 250}`];
    const pid = spawnPlainly({ argv, env: { PATH: '/usr/bin:/bin' }, cwd: '/', fds: [] });
    return new Promise<number | null>((resolve) => {
      awaitExit(pid, ({ code }) => resolve(code));
      expect(listOwnedPids().has(pid)).toBe(true);
    });
  });
  expect(await Promise.all(ours)).toEqual(Array.from({ length: 200 }, (_, index) => index % 250));
  expect(await Promise.all(nodes)).toEqual(Array.from({ length: 20 }, () => 7));
});

test('a name is looked up as execvp does: what may not be run is passed over, and a script needs no first line', async () => {
  mkdirSync(join(folder, 'one'));
  mkdirSync(join(folder, 'two'));
  script('one/tool', 'not for you', 0o644);
  script('two/tool', 'echo found $1');
  const env = { PATH: `${join(folder, 'one')}:${join(folder, 'missing')}:two:/usr/bin:/bin` };
  expect(await run(['tool', 'it'], { env })).toMatchObject({ code: 0, output: 'found it\n' });
  expect(await run(['./two/tool', 'it'], { env })).toMatchObject({ code: 0, output: 'found it\n' });
});

test.each([
  ['ENOENT', ['no-such-program']],
  ['ENOENT', ['/no/such/program']],
  ['EACCES', ['/etc/passwd']],
  ['ERR_INVALID_ARG_VALUE', ['echo', 'a\0b']],
  ['E2BIG', ['echo', 'x'.repeat(200_000)]],
])('what cannot be started is refused with %s, and nothing lives', (code, argv) => {
  const before = [...listOwnedPids()];
  expect(() => spawnPlainly({ argv, env: {}, cwd: '/', fds: [] })).toThrow(expect.objectContaining({ code }));
  expect([...listOwnedPids()]).toEqual(before);
});
