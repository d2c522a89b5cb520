import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

const isRoot = process.getuid?.() === 0;
const nobody = { uid: 65534, gid: 65534, groups: [], name: 'nobody' };

test('a child that ends tells its code, then that nothing is left', async () => {
  const child = startChild(['sh', '-c', 'echo out; echo err >&2; exit 3']);
  expect(await child.exited).toEqual({ code: 3, signal: null });
  await child.emptied;
  expect(await child.output).toEqual({ stdout: 'out\n', stderr: 'err\n' });
  expect(child.told.filter((each) => !each.endsWith('ended'))).toEqual(['exited', 'emptied']);
});

test('a child that is killed tells the signal', async () => {
  const child = startChild(['sleep', '1000']);
  expect(child.process?.signal('SIGTERM', 'leader')).toBe(1);
  expect(await child.exited).toEqual({ code: null, signal: 'SIGTERM' });
  await child.emptied;
  expect(child.process?.signal('SIGTERM', 'everything')).toBe(0);
});

test('the exit is told while a background child still holds the pipes', async () => {
  const child = startChild(['sh', '-c', 'sleep 1000 & echo leader gone'], { drainMs: 30_000 });
  await child.exited;
  expect(child.told).not.toContain('stdout ended');
  await child.printed('leader gone');
  expect(child.told).not.toContain('emptied');
  expect(child.process?.signal('SIGTERM', 'group')).toBe(1);
  await child.emptied;
  await child.output;
});

test('pipes held by a survivor close after the bounded wait', async () => {
  const child = startChild(['sh', '-c', 'sleep 1000 & echo said'], { drainMs: 50 });
  expect((await child.output).stdout).toBe('said\n');
  expect(child.told).not.toContain('emptied');
});

test('a survivor of the group that ignores SIGTERM keeps the service from being empty until it is killed', async () => {
  const child = startChild(['sh', '-c', '(trap "" TERM; echo armed; while :; do sleep 0.02; done) & wait']);
  await child.printed('armed');
  child.process?.signal('SIGTERM', 'leader');
  await child.exited;
  expect(child.process?.signal('SIGTERM', 'group')).toBeGreaterThan(0);
  expect(child.told).not.toContain('emptied');
  expect(child.process?.signal('SIGKILL', 'group')).toBeGreaterThan(0);
  await child.emptied;
});

test('a process that left the session and lost its parent is found by its tag and killed', async () => {
  const child = startChild([
    'sh',
    '-c',
    'setsid sh -c \'echo "escaped $$"; exec sleep 1000\' & wait; sleep 1000',
  ]);
  const pid = Number(/escaped (\d+)/.exec(await child.printed('escaped'))?.[1]);
  child.process?.signal('SIGKILL', 'leader');
  await child.exited;
  expect(child.process?.signal('SIGTERM', 'group')).toBe(0);
  expect(isAlive(pid)).toBe(true);
  expect(child.told).not.toContain('emptied');
  child.process?.signal('SIGKILL', 'everything');
  await child.emptied;
  expect(isAlive(pid)).toBe(false);
});

test('"everything" reaches an escapee while the leader still lives', async () => {
  const child = startChild(['sh', '-c', 'setsid sh -c \'echo "escaped $$"; exec sleep 1000\' & sleep 1000']);
  await child.printed('escaped');
  expect(child.process?.signal('SIGKILL', 'everything')).toBeGreaterThanOrEqual(3);
  await child.emptied;
});

test('one service never touches the escapee of another', async () => {
  const other = startChild(['sh', '-c', 'setsid sleep 1000 & echo started; wait'], { tag: 'other:7' });
  await other.printed('started');
  other.process?.signal('SIGKILL', 'leader');
  await other.exited;
  const child = startChild(['sleep', '1000'], { tag: 'one:7' });
  expect(child.process?.signal('SIGKILL', 'everything')).toBe(1);
  await child.emptied;
  expect(other.told).not.toContain('emptied');
  other.process?.signal('SIGKILL', 'everything');
  await other.emptied;
});

test.each([
  ['a program that is not there', ['/nowhere/program'], {}, 'ENOENT', 'there is no such file'],
  ['a name that is on no PATH', ['no-such-program'], {}, 'ENOENT', 'on PATH'],
  ['a file that is not executable', ['/etc/passwd'], {}, 'EACCES', 'permission denied'],
  ['a folder as program', ['/tmp'], {}, 'EACCES', 'permission denied'],
  [
    'a working directory that does not exist',
    ['true'],
    { cwd: '/nowhere' },
    'ENOENT',
    '/nowhere does not exist',
  ],
  ['a working directory that is a file', ['true'], { cwd: '/etc/passwd' }, 'ENOTDIR', 'is not a folder'],
  ['arguments without end', ['true', 'x'.repeat(3_000_000)], {}, 'E2BIG', 'too long'],
])('%s arrives as failed, later, and alone', async (_what, argv, options, code, words) => {
  const child = startChild(argv, options);
  expect(child.process).toBeUndefined();
  expect(child.told).toEqual([]);
  const error = await child.failed;
  expect(error).toMatchObject({ code });
  expect(error.message).toContain(`cannot start ${argv[0]}: `);
  expect(error.message).toContain(words);
  await new Promise((resolve) => setImmediate(resolve));
  expect(child.told).toEqual(['failed']);
});

test('a failed start leaves no descriptor open', async () => {
  const before = countDescriptors();
  for (let each = 0; each < 20; each += 1) await startChild(['/nowhere/program'], { readyFd: 4 }).failed;
  expect(countDescriptors()).toBeLessThanOrEqual(before + 1);
});

test('a child that came and went leaves no descriptor open', async () => {
  const first = startChild(['true'], { readyFd: 4, channel: true });
  await Promise.all([first.emptied, first.output]);
  const before = countDescriptors();
  for (let each = 0; each < 10; each += 1) {
    const child = startChild(['true'], { readyFd: 4, channel: true });
    await Promise.all([child.emptied, child.output]);
  }
  expect(countDescriptors()).toBeLessThanOrEqual(before);
});

test('a child inherits clean signals, an own session, /dev/null, the mask 022 and no descriptor of ours', async () => {
  const child = startChild([
    'sh',
    '-c',
    'grep -E "^Sig(Blk|Ign|Cgt)" /proc/self/status; ps -o sid=,pgid= -p $$; echo pid $$; readlink /proc/self/fd/0; umask; ls /proc/$$/fd',
  ]);
  const { stdout } = await child.output;
  expect(stdout).toMatch(/SigBlk:\s+0{16}\n/);
  expect(stdout).toMatch(/SigIgn:\s+0{16}\n/);
  const pid = child.process?.pid;
  expect(stdout).toMatch(new RegExp(`^\\s*${pid}\\s+${pid}\\npid ${pid}$`, 'm'));
  expect(stdout).toContain('/dev/null\n0022\n0\n1\n2\n');
  expect(stdout.endsWith('\n0\n1\n2\n')).toBe(true);
});

test('a child gets exactly the environment it is given, and its tag', async () => {
  process.env.NODE_OPTIONS = '--no-warnings';
  const child = startChild(['/usr/bin/env'], { env: { ONLY: 'this' }, tag: 'web:4' });
  delete process.env.NODE_OPTIONS;
  expect((await child.output).stdout.trim().split('\n').sort()).toEqual([
    'BULKHEAD_SERVICE=web:4',
    'ONLY=this',
  ]);
});

test('stdout is a pipe that a program can open again by its name', async () => {
  const child = startChild([
    'sh',
    '-c',
    'echo x > /dev/stdout; echo y > /dev/stderr; echo z > /proc/self/fd/1',
  ]);
  expect(await child.output).toEqual({ stdout: 'x\nz\n', stderr: 'y\n' });
});

test.runIf(isRoot)('stdout can be opened again by another user, and by one it becomes later', async () => {
  const child = startChild(['sh', '-c', 'id -u > /dev/stdout'], { identity: nobody });
  expect((await child.output).stdout).toBe('65534\n');
  const later = startChild(['setpriv', '--reuid=1', '--clear-groups', 'sh', '-c', 'id -u > /dev/stdout']);
  expect((await later.output).stdout).toBe('1\n');
});

test.runIf(isRoot)('a child gets its user and group, and no group of ours', async () => {
  const child = startChild(['sh', '-c', 'id -u; id -g; id -G'], { identity: nobody });
  expect((await child.output).stdout).toBe('65534\n65534\n65534\n');
});

test.runIf(isRoot)(
  'a child of another user can send us no signal, not even while it or another is started',
  async () => {
    const tries =
      'process.stdout.write("up"); for (;;) try { process.kill(process.ppid, 0); process.exit(7) } catch {}';
    const enemy = startChild([process.execPath, '-e', tries], { identity: nobody });
    for (let n = 0; n < 20; n += 1) await startChild(['true'], { identity: nobody }).output;
    enemy.process?.signal('SIGKILL', 'everything');
    expect(await enemy.exited).toEqual({ code: null, signal: 'SIGKILL' });
  },
);

/** At once, whatever was sent to it: the kernel calls that a reset, and hands out what was written before all the same. */
test.each([
  ['64 KB, and reads none of it', 64 * 1024, false],
  ['1 MB, more than its socket holds', 1024 * 1024, false],
  ['64 KB, while nobody listens to it', 64 * 1024, true],
])('the last words of a child that was sent %s are heard', async (_what, bytes, held) => {
  const runs = Number(process.env.BULKHEAD_TEST_RUNS ?? 10);
  for (let run = 0; run < runs; run += 1) {
    const child = startChild(['sh', '-c', 'printf "%s\\n" first last >&3'], { channel: true });
    child.process?.send('x'.repeat(bytes - 1));
    if (held) child.process?.hold(true);
    await child.exited;
    expect(child.told.filter((each) => each.startsWith('message'))).toEqual([
      'message first',
      'message last',
    ]);
  }
});

test.runIf(isRoot && existsSync('/usr/bin/setpriv'))('a child gets its supplementary groups', async () => {
  const child = startChild(['sh', '-c', 'id -u; id -g; id -G; echo $$'], {
    identity: { ...nobody, uid: 1, gid: 1, groups: [4, 20] },
  });
  expect((await child.output).stdout).toBe(`1\n1\n1 4 20\n${child.process?.pid}\n`);
  const missing = startChild(['no-such-program'], { identity: { ...nobody, groups: [4] } });
  expect(await missing.failed).toMatchObject({ code: 'ENOENT' });
});

test('nice and the score of the out-of-memory killer are set', async () => {
  const child = startChild(['sleep', '1000'], { nice: 7, oomScoreAdj: 300 });
  const pid = child.process?.pid;
  expect(readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[16]).toBe('7');
  expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'latin1')).toBe('300\n');
});

test('a newline on the ready descriptor is told once, and writing on does no harm', async () => {
  const child = startChild(
    ['sh', '-c', 'printf half >&5; printf "\\n" >&5; echo more >&5; echo; read x; exit 4'],
    {
      readyFd: 5,
    },
  );
  await child.ready;
  expect((await child.exited).code).toBe(4);
  expect(child.told.filter((each) => each === 'ready')).toHaveLength(1);
});

test('readiness written just before death is told before the exit', async () => {
  for (let each = 0; each < 10; each += 1) {
    const child = startChild(['sh', '-c', 'echo >&3'], { readyFd: 3 });
    await child.exited;
    expect(child.told.slice(0, 2).filter((what) => !what.endsWith('ended'))[0]).toBe('ready');
  }
});

test('the channel carries lines both ways, and the last words come before the exit', async () => {
  const child = startChild(['sh', '-c', 'read line <&3; echo "got $line" >&3; echo bye >&3; exit 9'], {
    channel: true,
  });
  child.process?.send('{"program":"cluster"}');
  expect(await child.nextMessage()).toBe('got {"program":"cluster"}');
  expect(await child.nextMessage()).toBe('bye');
  expect((await child.exited).code).toBe(9);
  expect(child.told.indexOf('message bye')).toBeLessThan(child.told.indexOf('exited'));
  child.process?.send('too late');
});

test('all of a long last speech on the channel comes before the exit', async () => {
  const child = startChild(['sh', '-c', 'seq 1 30000 >&3'], { channel: true });
  await child.exited;
  expect(child.told.filter((each) => each.startsWith('message'))).toHaveLength(30_000);
});

test.runIf(isRoot && existsSync('/usr/bin/setpriv')).each(['as it is', 'given-up'])(
  'with the rights root has inside Docker (%s), an escapee of another user is found all the same',
  (privileges) => {
    const docker =
      '-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap';
    const program = join(import.meta.dirname, '../programs/kills-escapee.ts');
    const { stdout } = spawnSync(
      'setpriv',
      [`--bounding-set=${docker}`, process.execPath, program, privileges],
      {
        encoding: 'utf8',
        timeout: 20_000,
      },
    );
    expect(stdout).toBe('environ closed: EACCES\nexited\nreached 1\nemptied\n');
  },
);

test('a channel held by a survivor delays the exit only a moment', async () => {
  const child = startChild(['sh', '-c', 'echo last >&3; sleep 1000 & exit 0'], { channel: true });
  await child.exited;
  expect(child.told).toContain('message last');
});

function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}
