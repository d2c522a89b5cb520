// What is left to a page that has taken over a Chromium without its sandbox: in its place stands a program that tries.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { landlockVersion } from '../../src/browser/landlock.ts';
import { startAttempt } from '../support/attempt.ts';

const version = landlockVersion();
const SECRET = 'postgres://app:hidden@127.0.0.1:1/x';
const base = mkdtempSync(join(tmpdir(), 'scraper-confine-'));
const spy = join(base, 'bin', 'chromium');
const server = createServer((socket) => socket.end());

before(async () => {
  mkdirSync(join(base, 'bin'));
  writeFileSync(join(base, 'outside'), 'of the volume');
  // It is the browser's own process: the scraper is its parent. What it finds goes to standard error, its last line.
  writeFileSync(
    spy,
    `#!/bin/bash
try() { if "\${@:2}" >/dev/null 2>&1; then found="$found $1"; fi; }
open() { (exec 9<"$1"); }
connect() { (exec 9<>"/dev/tcp/127.0.0.1/$1"); }
keep() { echo x >"$1"; }
try environ open /proc/$PPID/environ
try memory open /proc/$PPID/mem
try maps open /proc/$PPID/maps
try files readlink /proc/$PPID/fd/1
try signal kill -0 $PPID
try read cat ${base}/outside
try write keep ${base}/written
try port connect "$(cat "$(dirname "$0")/port")"
try own keep "$HOME/own"
try null keep /dev/null
try program /bin/true
echo "found:$found" >&2
exit 1
`,
  );
  chmodSync(spy, 0o755);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  writeFileSync(join(base, 'bin', 'port'), String((server.address() as AddressInfo).port));
});
after(() => {
  server.close();
  rmSync(base, { recursive: true, force: true });
});

const programs = join(import.meta.dirname, '..', 'programs');
/** As PID 1 starts a scraper: root, too, may nothing. */
const confined = process.getuid?.() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all', '--'] : [];

/** What the spy could do, started as the browser is. */
function spyOn(landlock: number, proxyPort = 1): string[] {
  const [command = '', ...rest] = [...confined, process.execPath, join(programs, 'launch.ts'), spy];
  const { stdout, stderr } = spawnSync(command, [...rest, String(landlock), String(proxyPort)], {
    encoding: 'utf8',
  });
  const [, found] = /\(found:(.*)\)\n$/.exec(stdout) ?? assert.fail(stdout + stderr);
  return (found ?? '').trim().split(' ');
}

test('without its sandbox and without Landlock a browser is its user, and the spy is one that finds things', () => {
  const all = 'environ memory maps files signal read write port own null program';
  assert.equal(spyOn(0).join(' '), all);
});

test('held by Landlock it reaches its folder, its proxy and itself', { skip: version < 6 }, () => {
  assert.deepEqual(spyOn(version), ['own', 'null', 'program']);
  const { port } = server.address() as AddressInfo;
  assert.deepEqual(spyOn(version, port), ['port', 'own', 'null', 'program']);
});

test('a scrape whose browser is taken over tells it no secret', { skip: version === 0 }, async () => {
  const { code, output } = await startAttempt(
    'scrape',
    { url: 'http://127.0.0.1/' },
    {
      CHROMIUM_PATH: spy,
      SCRAPER_ALLOW_PRIVATE: '127.0.0.1:80',
      GEMINI_API_KEY: 'hidden',
      BULKHEAD_DATA: base,
    },
    confined,
  ).ended;
  assert.equal(code, 1);
  assert.match(output, /found:/);
  assert.doesNotMatch(output, /found:.*(environ|memory|maps|files)/);
  // Everybody else may have the sandbox itself.
  if (process.getuid?.() !== 0) return;
  assert.match(output, /outside its sandbox, held by Landlock/);
  assert.doesNotMatch(output, /found:.*(signal|read|write|port)/);
});

// Root may look into everything, so somebody else has to try; the sources must be open to him.
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--inh-caps=-all', '--'];
const program = join(programs, 'close-memory.ts');
const canTry =
  process.getuid?.() === 0 &&
  spawnSync(nobody[0] ?? '', [...nobody.slice(1), 'test', '-r', program]).status === 0;

test('whoever is the same user cannot look into a scraper, Landlock or not', { skip: !canTry }, async () => {
  const look = (pid: number) =>
    ['environ', 'maps', 'mem'].map((file) => {
      const open = ['bash', '-c', `exec 9</proc/${pid}/${file}`];
      return spawnSync(nobody[0] ?? '', [...nobody.slice(1), ...open], { stdio: 'ignore' }).status === 0;
    });
  const results: boolean[][] = [];
  for (const how of ['open', 'closed']) {
    const child = spawn(nobody[0] ?? '', [...nobody.slice(1), process.execPath, program, how], {
      env: { DATABASE_URL: SECRET },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    results.push(look(child.pid ?? 0));
    child.stdin.end();
    await once(child, 'exit');
  }
  assert.deepEqual(results, [
    [true, true, true],
    [false, false, false],
  ]);
});
