import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCpuLimit, readMemoryLimit, watchOomKills } from '../../src/system/cgroup.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cgroup-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

test('without a limit the machine is the limit', () => {
  put('memory.max', 'max\n');
  put('cpu.max', 'max 100000\n');
  expect(readMemoryLimit(root, '0::/\n')).toBe(totalmem());
  expect(readCpuLimit(root, '0::/\n')).toBe(availableParallelism());
});

test('the smallest limit up the tree holds', () => {
  put('memory.max', '400000000\n');
  put('a/memory.max', '300000000\n');
  put('a/b/memory.max', 'max\n');
  put('a/cpu.max', '50000 100000\n');
  expect(readMemoryLimit(root, '0::/a/b\n')).toBe(300_000_000);
  expect(readCpuLimit(root, '0::/a/b\n')).toBe(0.5);
});

test('version 1 is understood, and its number for "none"', () => {
  put('memory/docker/memory.limit_in_bytes', '9223372036854771712\n');
  expect(readMemoryLimit(root, '5:memory:/docker\n')).toBe(totalmem());
  put('memory/docker/memory.limit_in_bytes', '268435456\n');
  put('cpu/docker/cpu.cfs_quota_us', '25000\n');
  put('cpu/docker/cpu.cfs_period_us', '100000\n');
  expect(readMemoryLimit(root, '5:memory:/docker\n')).toBe(268_435_456);
  expect(readCpuLimit(root, '6:cpu,cpuacct:/docker\n')).toBe(0.25);
});

test('a path that leads out of the namespace is not followed', () => {
  put('memory.max', '400000000\n');
  expect(readMemoryLimit(root, '0::/../../other\n')).toBe(400_000_000);
});

test('nothing to read is no limit', () => {
  expect(readMemoryLimit(join(root, 'none'), '')).toBe(totalmem());
});

test.each([
  ['v2', 'pod/memory.events', 'low 0\noom 3\noom_kill %\noom_group_kill 0\n', '0::/pod\n'],
  ['v2 in a namespace of its own', 'memory.events', 'oom_kill %\n', '0::/\n'],
  ['v1', 'memory/box/memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill %\n', '4:memory:/box\n'],
  [
    'v1, where the path is that of the machine',
    'memory/memory.oom_control',
    'oom_kill %\n',
    '4:memory:/docker/x\n',
  ],
])('each kill of the kernel explains one death: %s', (_, path, text, membership) => {
  put(path, text.replace('%', '4'));
  const claim = watchOomKills(root, membership);
  expect(claim()).toBe(false);
  put(path, text.replace('%', '6'));
  expect([claim(), claim(), claim()]).toEqual([true, true, false]);
  put(path, text.replace('%', '7'));
  expect([claim(), claim()]).toEqual([true, false]);
});

test('where the kernel does not tell, nobody is said to be killed by it', () => {
  expect(watchOomKills(root, '')()).toBe(false);
});
