import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { confineCommand } from '../../src/system/confine.ts';
import { heldCapabilities } from '../../src/system/privileges.ts';

const isRoot = process.getuid?.() === 0 && existsSync('/usr/bin/setpriv');
const program = join(import.meta.dirname, '../programs/starts-confined.ts');

/** What root has inside Docker; none of it lets root read other users' environments or raise limits. */
const DOCKER =
  '-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap';

const tellStatus = ['sh', '-c', 'grep -E "^(Uid|Groups|Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs)" /proc/self/status'];
const nobody = { uid: 65534, gid: 65534, groups: [], name: 'nobody' };
const inGroups = { ...nobody, groups: [4, 20] };
const confined = { capabilities: [], unconfined: false };
const none = '0'.repeat(16);

function start(options: Record<string, unknown>, as: readonly string[] = []): string {
  const [command = '', ...args] = [...as, process.execPath, program, JSON.stringify(options)];
  return spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 }).stdout;
}

function status(options: Record<string, unknown>): Record<string, string> {
  const text = start({ argv: tellStatus, ...options }, ['setpriv', `--bounding-set=${DOCKER}`]);
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [name, value] = line.split(/:\s*/);
      return name === undefined || value === undefined ? [] : [[name, value.trim().split(/\s+/).join(' ')]];
    }),
  );
}

describe.runIf(isRoot)('with the rights root has inside Docker', () => {
  test.each([true, false])(
    'root keeps no capability and can gain none, whether PID 1 gave them up (%s) or not',
    (giveUp) => {
      expect(status({ giveUp, privileges: confined })).toEqual({
        Uid: '0 0 0 0',
        Groups: '',
        CapPrm: none,
        CapEff: none,
        CapBnd: none,
        CapAmb: none,
        NoNewPrivs: '1',
      });
    },
  );

  test.each([
    [true, nobody, ''],
    [true, inGroups, '4 20 65534'],
    [false, nobody, ''],
    [false, inGroups, '4 20 65534'],
  ])('another user has nothing but its groups (given up %s: %o)', (giveUp, identity, groups) => {
    expect(status({ giveUp, identity, privileges: confined })).toEqual({
      Uid: '65534 65534 65534 65534',
      Groups: groups,
      CapPrm: none,
      CapEff: none,
      CapBnd: none,
      CapAmb: none,
      NoNewPrivs: '1',
    });
  });

  test.each([
    [true, undefined],
    [true, nobody],
    [true, inGroups],
    [false, undefined],
    [false, nobody],
    [false, inGroups],
  ])('a capability that is named is kept, and no other (given up %s: %o)', (giveUp, identity) => {
    const privileges = { capabilities: ['NET_BIND_SERVICE'], unconfined: false };
    const read = status({ giveUp, identity, privileges });
    expect(read).toMatchObject({ CapEff: '0000000000000400', CapPrm: '0000000000000400', CapBnd: none });
    expect(read).toMatchObject({ NoNewPrivs: '1', Uid: identity ? '65534 65534 65534 65534' : '0 0 0 0' });
  });

  test('a child of root that named none cannot take one back', () => {
    const argv = ['setpriv', '--inh-caps=+chown', '--ambient-caps=+chown', ...tellStatus];
    expect(status({ giveUp: true, privileges: confined, argv })).toMatchObject({
      CapEff: none,
      CapPrm: none,
    });
  });

  test('with `all` it has everything we have, and its children of other users nothing', () => {
    const privileges = { capabilities: 'all', unconfined: false };
    expect(status({ giveUp: true, privileges }).CapEff).toBe('00000000a80425fb');
    const argv = ['setpriv', '--reuid=1', '--clear-groups', ...tellStatus];
    expect(status({ giveUp: true, privileges, argv })).toMatchObject({ Uid: '1 1 1 1', CapEff: none });
  });

  test('a capability that we have not ourselves is no start, with the reason', () => {
    const privileges = { capabilities: ['SYS_ADMIN'], unconfined: false };
    const text = start({ giveUp: true, privileges, argv: ['true'] }, ['setpriv', `--bounding-set=${DOCKER}`]);
    expect(text).toBe('failed: cannot give it SYS_ADMIN: this container may not do that itself\n');
  });

  test('nothing is taken from the unconfined, unless PID 1 gave everything up before', () => {
    const privileges = { capabilities: [], unconfined: true };
    expect(status({ privileges })).toMatchObject({ CapEff: '00000000a80425fb', NoNewPrivs: '0' });
    expect(start({ giveUp: true, privileges, argv: ['true'] })).toContain('gave them up when it started');
  });
});

test('the privileges of a user who has none to give up are no obstacle', () => {
  const as = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const text = start({ giveUp: true, privileges: confined, argv: tellStatus }, as);
  expect(text).toMatch(/NoNewPrivs:\s*1/);
  expect(text).toMatch(/CapEff:\s*0{16}/);
});

test('umask and limits are set before the program starts', () => {
  const argv = ['sh', '-c', 'umask; ulimit -Sn; ulimit -Hn; ulimit -c'];
  const ulimits = { nofile: { soft: 100, hard: 200 }, core: { soft: 0, hard: 0 } };
  expect(start({ argv, umask: 0o027, ulimits })).toBe('0027\n100\n200\n0\n');
});

test.runIf(isRoot)('limits, user, groups and rights go together', () => {
  const argv = ['sh', '-c', 'id -u; id -G; ulimit -n; ls -l /dev/stdout > /dev/stdout && echo open'];
  const ulimits = { nofile: { soft: 100, hard: 200 } };
  const text = start({ giveUp: true, privileges: confined, identity: inGroups, ulimits, argv });
  expect(text).toMatch(/^65534\n65534 4 20\n100\n/);
  expect(text).toContain('open');
});

test('a limit above that of the container is no start, with the reason', () => {
  const ours = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
  const ulimits = { nofile: { soft: 1, hard: Number(ours) + 1 } };
  expect(start({ argv: ['true'], ulimits })).toBe(
    `failed: cannot set ulimits.nofile to ${Number(ours) + 1}: the container has ${ours}\n`,
  );
});

test('a program that is not there is said to be so, not prlimit', () => {
  const ulimits = { core: { soft: 0, hard: 0 } };
  expect(start({ argv: ['no-such-program'], ulimits })).toBe(
    'failed: cannot start no-such-program: no program of that name is on PATH\n',
  );
});

const tellPriority = ['sh', '-c', 'nice; cat /proc/self/oom_score_adj'];
const unprivileged = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];

test('another user’s child begins as ours: between its change of user and its exec it could be stopped, and we with it', () => {
  const { ids, argv } = confineCommand(['true'], { identity: nobody }, process.env.PATH, '/');
  expect(ids).toEqual({});
  expect(argv.slice(0, 2)).toEqual([expect.stringMatching(/\/setpriv$/), '--reuid=65534']);
});

describe('a priority or a score', () => {
  test('that the kernel refuses is no start, with the reason', () => {
    const ours = getPriority();
    expect(ours).toBeGreaterThanOrEqual(0);
    const score = Number(readFileSync('/proc/self/oom_score_adj', 'latin1'));
    expect(start({ argv: tellPriority, nice: -1 }, unprivileged)).toBe(
      `failed: cannot set nice to -1: only ${ours} and more is allowed here\n`,
    );
    expect(start({ argv: tellPriority, oomScoreAdj: score - 1 }, unprivileged)).toBe(
      `failed: cannot set oom_score_adj to ${score - 1}: only ${score} and more is allowed here\n`,
    );
  });

  test('that asks for less patience than everybody has here anyway is met', () => {
    const ours = Math.min(19, getPriority() + 3);
    expect(start({ argv: ['nice'], nice: 1 }, [...unprivileged, 'nice', '-n', '3'])).toBe(`${ours}\n`);
  });

  test('that is only ours is passed over where it is refused', () => {
    expect(start({ argv: ['echo', 'runs'], usualOomScore: -900 }, unprivileged)).toBe('runs\n');
  });

  test('that is allowed is there before the program starts, and ours is as it was', () => {
    const score = Number(readFileSync('/proc/self/oom_score_adj', 'latin1'));
    const restored = `until [ "$(cat /proc/$PPID/oom_score_adj)" = ${score} ]; do :; done`;
    const argv = ['sh', '-c', `cat /proc/self/oom_score_adj; ${restored}; nice`];
    expect(start({ argv, oomScoreAdj: 700 }, unprivileged)).toBe(`700\n${getPriority()}\n`);
  });

  test.runIf(isRoot)('of another user is had without any right, with the rest of its confinement', () => {
    const ulimits = { nofile: { soft: 100, hard: 200 } };
    for (const identity of [nobody, inGroups]) {
      const options = { giveUp: true, privileges: confined, identity, ulimits, nice: getPriority() + 5 };
      const argv = ['sh', '-c', 'nice; id -u; ulimit -n'];
      expect(start({ ...options, argv }, ['setpriv', `--bounding-set=${DOCKER}`])).toBe(
        `${getPriority() + 5}\n65534\n100\n`,
      );
    }
  });

  const mayLower = isRoot && heldCapabilities().has('SYS_NICE') && heldCapabilities().has('SYS_RESOURCE');
  test.runIf(mayLower)('below ours is had where the container has the right', () => {
    const nice = getPriority() - 3;
    expect(start({ argv: tellPriority, identity: nobody, nice, oomScoreAdj: -50 })).toBe(`${nice}\n-50\n`);
  });
});
