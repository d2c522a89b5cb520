import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-notify-'));
afterAll(() => rmSync(folder, { recursive: true }));

const isRoot = process.getuid?.() === 0;
const perl = (body: string): string[] => [
  'perl',
  '-MSocket',
  '-e',
  `socket(S, PF_UNIX, SOCK_DGRAM, 0); sub note { defined send(S, $_[0], 0, sockaddr_un($ENV{NOTIFY_SOCKET})) or print "refused\\n" } ${body}`,
];
let count = 0;

function path(): string {
  count += 1;
  return join(folder, String(count));
}

test.runIf(existsSync('/usr/bin/systemd-notify'))(
  'systemd-notify is understood, and does not wait for its barrier in vain',
  async () => {
    const argv = ['sh', '-c', 'systemd-notify --ready --status="half way" && echo sent'];
    const child = startChild(argv, { notify: { path: path(), watchdog: undefined } });
    expect((await child.output).stdout).toBe('sent\n');
    expect(child.told).toContain('notified READY=1 STATUS=half way');
  },
);

test('each datagram is one message, in order, and all come before the exit', async () => {
  const body =
    'note("READY=1\\nSTATUS=a"); note("WATCHDOG=1"); note("STATUS=a=b"); note("x" x 60000); note("STOPPING=1")';
  const child = startChild(perl(body), { notify: { path: path(), watchdog: undefined } });
  await child.exited;
  expect(child.told.filter((each) => /notified|exited/.test(each))).toEqual([
    'notified READY=1 STATUS=a',
    'notified WATCHDOG=1',
    'notified STATUS=a=b',
    'notified ',
    'notified STOPPING=1',
    'exited',
  ]);
});

test('a message is told as soon as it is sent', async () => {
  const body = 'note("READY=1"); sleep 1000';
  const child = startChild(perl(body), { notify: { path: path(), watchdog: undefined } });
  await expect.poll(() => child.told, { interval: 5 }).toContain('notified READY=1');
});

test('the socket is the child’s alone, and gone with it', async () => {
  const at = path();
  const nobody = { uid: 65534, gid: 65534, groups: [], name: 'nobody' };
  const child = startChild(['sh', '-c', 'echo $NOTIFY_SOCKET $WATCHDOG_USEC; sleep 1000'], {
    notify: { path: at, watchdog: 2500 },
    identity: isRoot ? nobody : undefined,
  });
  expect(await child.printed('\n')).toBe(`${at} 2500000\n`);
  expect(statSync(at).mode & 0o777).toBe(0o600);
  if (isRoot) expect(statSync(at).uid).toBe(65534);
  child.process?.signal('SIGKILL', 'everything');
  await child.exited;
  expect(existsSync(at)).toBe(false);
});

test('a child that cannot be started leaves no socket', async () => {
  const at = path();
  const child = startChild(['no-such-program'], { notify: { path: at, watchdog: undefined } });
  await child.failed;
  expect(existsSync(at)).toBe(false);
});
