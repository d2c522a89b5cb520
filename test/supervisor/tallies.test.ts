import { beforeEach, expect, test } from 'vitest';
import { OUT_OF_MEMORY } from '../../src/supervisor/launcher.ts';
import { createTallies, type Tallies } from '../../src/supervisor/tallies.ts';
import type { readFamilies } from '../../src/system/families.ts';

let now: number;
let looks: number;
let families: ReturnType<typeof readFamilies>;
let tallies: Tallies;

beforeEach(() => {
  now = 0;
  looks = 0;
  families = [];
  tallies = createTallies({ now: () => 1_000_000 + now, mono: () => now }, () => {
    looks += 1;
    return families;
  });
});

const family = (tag: string, cpuSeconds: number) => ({
  leader: { pid: 7, tag, gone: false, condemned: false },
  load: { cpuSeconds, residentBytes: 100, openFiles: 3, threads: 2, processes: 1 },
});

test('says why each generation ended', () => {
  const { exited, reported, spawned } = tallies.listener;
  spawned('app', 1, 7);
  exited('app', 1, { code: 1, signal: null }, false, 'crashed');
  exited('app', 2, { code: null, signal: 'SIGSEGV' }, false, 'crashed');
  exited('app', 3, { code: null, signal: 'SIGKILL' }, false, 'unhealthy');
  exited('app', 4, { code: null, signal: 'SIGTERM' }, false, 'timeout');
  exited('app', 5, { code: 0, signal: null }, true, 'restart');
  reported('app', 6, { type: 'failure', message: OUT_OF_MEMORY, remedy: undefined });
  exited('app', 6, { code: null, signal: 'SIGKILL' }, false, 'crashed');
  exited('app', 7, { code: null, signal: 'SIGKILL' }, false, 'crashed');
  expect(tallies.figures().app).toEqual({
    startedAt: 1_000_000,
    exits: { exit: 1, signal: 2, health: 1, timeout: 1, asked: 1, oom: 1 },
  });
});

test('sorts the answers of checks by how long they took', () => {
  for (const ms of [1, 5, 5.1, 2000, 2001]) tallies.checkPassed('app', ms);
  tallies.checkFailed('app');
  expect(tallies.figures().app?.checks).toEqual({
    passed: 5,
    failed: 1,
    counts: [2, 1, 0, 0, 0, 0, 0, 0, 1, 1],
    sum: 4012.1,
  });
});

test('looks at the processes when asked, and not more often than every 5 s', () => {
  families = [family('app:1', 2)];
  tallies.figures();
  tallies.figures();
  expect(looks).toBe(1);
  now = 5000;
  tallies.figures();
  expect(looks).toBe(2);
});

test('adds up what a name has used over its generations, and never takes any back', () => {
  const [first, second, worker] = [family('app:1', 2), family('app:2', 1), family('web-2:1', 4)];
  const at = (ms: number, ...all: typeof families) => {
    now = ms;
    families = all;
    return tallies.figures();
  };
  expect(at(0, first)).toMatchObject({ app: { cpuSeconds: 2, load: { residentBytes: 100, openFiles: 3 } } });
  const both = at(5000, { ...first, load: { ...first.load, cpuSeconds: 3 } }, second, worker);
  expect(both).toMatchObject({
    app: { cpuSeconds: 4, load: { residentBytes: 200, openFiles: 6, threads: 4, processes: 2 } },
    'web-2': { cpuSeconds: 4 },
  });
  // An orphan of the second has died and took what it had used with it.
  const after = at(10_000, { ...second, load: { ...second.load, cpuSeconds: 0.5 } });
  expect(after.app?.cpuSeconds).toBe(4);
  expect(after['web-2']).toEqual({ exits: {}, cpuSeconds: 4 });
});
