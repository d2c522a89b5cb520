import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { type CgroupFiles, createMemoryGroups } from '../../src/system/memory-groups.ts';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

/** Answers as cgroup v2 does: processes move, a group with controllers below it holds none, a full one stays. */
class FakeKernel implements CgroupFiles {
  readonly groups = new Map<string, { readonly pids: Set<number>; readonly files: Map<string, string> }>();
  readonly acts: string[] = [];
  membership = '0::/\n';
  readOnly = false;

  constructor(pids: readonly number[], files: Readonly<Record<string, string>> = {}) {
    this.makeDir('/cg');
    for (const pid of pids) this.groups.get('/cg')?.pids.add(pid);
    const own = {
      'cgroup.controllers': 'cpu memory pids\n',
      'cgroup.subtree_control': '\n',
      'memory.max': 'max\n',
    };
    for (const [name, text] of Object.entries({ ...own, ...files })) this.set(join('/cg', name), text);
    this.acts.length = 0;
  }

  set(path: string, text: string): void {
    this.groups.get(dirname(path))?.files.set(path, text);
  }

  exists(path: string): boolean {
    return this.groups.has(path) || path.endsWith('cgroup.procs')
      ? this.groups.has(path.endsWith('cgroup.procs') ? dirname(path) : path)
      : this.groups.get(dirname(path))?.files.has(path) === true;
  }

  isWritable(): boolean {
    return !this.readOnly;
  }

  read(path: string): string {
    if (path === '/proc/self/cgroup') return this.membership;
    const group = this.groups.get(dirname(path));
    if (path.endsWith('cgroup.procs')) return [...(group?.pids ?? [])].map((pid) => `${pid}\n`).join('');
    return group?.files.get(path) ?? this.refuse('ENOENT');
  }

  write(path: string, text: string): void {
    const group = this.groups.get(dirname(path)) ?? this.refuse('ENOENT');
    this.acts.push(`${text} > ${path}`);
    if (path.endsWith('cgroup.procs')) {
      if (text === '404') this.gone(404, 'ESRCH');
      for (const { pids } of this.groups.values()) pids.delete(Number(text));
      group.pids.add(Number(text));
    } else if (path.endsWith('subtree_control') && group.pids.size > 0) this.refuse('EBUSY');
    else group.files.set(path, text);
  }

  makeDir(path: string): void {
    this.acts.push(`mkdir ${path}`);
    this.groups.set(path, { pids: new Set(), files: new Map() });
  }

  removeDir(path: string): void {
    this.acts.push(`rmdir ${path}`);
    if ((this.groups.get(path)?.pids.size ?? 0) > 0) this.refuse('EBUSY');
    this.groups.delete(path);
  }

  private gone(pid: number, code: string): never {
    for (const { pids } of this.groups.values()) pids.delete(pid);
    return this.refuse(code);
  }

  private refuse(code: string): never {
    throw Object.assign(new Error(code), { code });
  }
}

const everybody = (): boolean => true;

describe('with cgroup v2', () => {
  test('everybody moves one down, the controller is handed on, and each start has a group with its limit', () => {
    const kernel = new FakeKernel([1, 7, 404]);
    const groups = createMemoryGroups(kernel, everybody, '/cg');
    expect(kernel.acts).toEqual([]);
    const group = groups.open('app', 5_000_000);
    expect(kernel.acts).toEqual([
      'mkdir /cg/bulkhead',
      '1 > /cg/bulkhead/cgroup.procs',
      '7 > /cg/bulkhead/cgroup.procs',
      '404 > /cg/bulkhead/cgroup.procs',
      '+memory > /cg/cgroup.subtree_control',
      'mkdir /cg/app.1',
      '5000000 > /cg/app.1/memory.max',
      '0 > /cg/app.1/memory.swap.max',
      '1 > /cg/app.1/memory.oom.group',
    ]);
    expect(group?.procs).toBe('/cg/app.1/cgroup.procs');
    expect(groups.open('app', 6_000_000)?.procs).toBe('/cg/app.2/cgroup.procs');
    expect(kernel.acts.filter((act) => act.includes('subtree_control'))).toHaveLength(1);
    expect(group?.oomKills()).toBe(0);
    kernel.set('/cg/app.1/memory.events', 'low 0\noom 1\noom_kill 3\noom_group_kill 1\n');
    expect(group?.oomKills()).toBe(3);
    group?.remove();
    expect(kernel.groups.has('/cg/app.1')).toBe(false);
  });

  test('what is still in a group when its service has ended is killed, and the group removed', () => {
    vi.useFakeTimers();
    try {
      const kernel = new FakeKernel([1]);
      const group = createMemoryGroups(kernel, everybody, '/cg').open('app', 1);
      const folder = dirname(group?.procs ?? '');
      kernel.groups.get(folder)?.pids.add(99);
      group?.remove();
      expect(kernel.acts.at(-1)).toBe(`1 > ${folder}/cgroup.kill`);
      kernel.groups.get(folder)?.pids.clear();
      vi.runAllTimers();
      expect(kernel.groups.has(folder)).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  test('our own group is found by its path, and a group that hands the controller on already is left so', () => {
    const kernel = new FakeKernel([]);
    kernel.membership = '4:cpu:/x\n0::/pod/box\n';
    kernel.makeDir('/cg/pod/box');
    for (const name of ['cgroup.controllers', 'cgroup.subtree_control', 'memory.max'])
      kernel.set(`/cg/pod/box/${name}`, 'memory\n');
    expect(createMemoryGroups(kernel, everybody, '/cg').open('app', 1)?.procs).toBe(
      '/cg/pod/box/app.1/cgroup.procs',
    );
    expect(kernel.acts.filter((act) => act.includes('subtree_control'))).toEqual([]);
  });
});

describe('nothing is taken', () => {
  test.each([
    ['where the tree is read-only, as in Docker', new FakeKernel([1]), everybody, true],
    [
      'without the memory controller',
      new FakeKernel([1], { 'cgroup.controllers': 'cpu pids\n' }),
      everybody,
      false,
    ],
    ['from strangers', new FakeKernel([1, 50]), (pid: number) => pid === 1, false],
  ])('%s', (_, kernel, isOurs, readOnly) => {
    kernel.readOnly = readOnly;
    const groups = createMemoryGroups(kernel, isOurs, '/cg');
    const before = [...kernel.acts];
    expect([groups.open('app', 1), groups.open('app', 1)]).toEqual([undefined, undefined]);
    expect(kernel.acts).toEqual(before);
  });

  test('where cgroup is v1, or there is none', () => {
    const kernel = new FakeKernel([1]);
    for (const membership of ['4:memory:/x\n', '', '0::/../other\n']) {
      kernel.membership = membership;
      expect(createMemoryGroups(kernel, everybody, '/cg').open('app', 1)).toBeUndefined();
    }
  });
});

const nobody = { uid: 65534, gid: 65534, groups: [], name: 'nobody' };

test('a child enters its group before it is somebody else, and before its program runs', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'group-'));
  try {
    const procs = join(folder, 'cgroup.procs');
    const identity = process.getuid?.() === 0 ? nobody : undefined;
    const argv = ['sh', '-c', 'id -u; echo "$0 $1"', 'a b', '$c'];
    const child = startChild(argv, { memoryGroup: procs, identity, ulimits: { core: { soft: 0, hard: 0 } } });
    expect((await child.output).stdout).toBe(`${identity?.uid ?? process.getuid?.()}\na b $c\n`);
    expect(readFileSync(procs, 'utf8')).toBe('0\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a program that is not there is told as such, not by the shell before it', async () => {
  const child = startChild(['no-such-program'], { memoryGroup: '/nowhere/cgroup.procs' });
  expect((await child.failed).message).toContain('no program of that name is on PATH');
});

/** The group of this test, where this machine lets us have one with a limit. */
const real = createMemoryGroups(undefined, () => false).open('bulkhead-test', 50_000_000);

test.runIf(real)('the kernel kills a whole group that needs more than its limit, and counts it', async () => {
  const argv = ['sh', '-c', `perl -e 'push @a, "x" x 1e6 while 1'; echo survived`];
  const child = startChild(argv, { memoryGroup: real?.procs });
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(real?.oomKills()).toBeGreaterThan(0);
  real?.remove();
  expect(existsSync(dirname(real?.procs ?? ''))).toBe(false);
});

test.skipIf(real)(
  '(no cgroup v2 with a memory controller to write in on this machine: the one above is skipped)',
  () => {
    expect(real).toBeUndefined();
  },
);
