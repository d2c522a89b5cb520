import { expect, test } from 'vitest';
import type { ServicePlan } from '../../src/config/plan-runs.ts';
import { limitMemory } from '../../src/supervisor/memory-limit.ts';
import { aService, aTask } from '../support/runs.ts';

function limit(changes: Partial<ServicePlan>, kills: number | undefined) {
  const acts: string[] = [];
  let ofContainer = 2;
  const memory = limitMemory(aService('app', changes), {
    openMemoryGroup: (name, bytes) => {
      acts.push(`open ${name} ${bytes}`);
      return kills === undefined
        ? undefined
        : { procs: '/procs', oomKills: () => kills, remove: () => acts.push('remove') };
    },
    claimOomKill: () => {
      ofContainer -= 1;
      return ofContainer >= 0;
    },
  });
  return { memory, acts, left: () => ofContainer };
}

test('without a limit the kernel is asked for nothing', () => {
  const { memory, acts } = limit({}, 0);
  memory.end();
  expect([memory.watched, memory.procs, acts]).toEqual([undefined, undefined, []]);
});

test('what the kernel holds is not watched, and its kills are explained by its own count', () => {
  const { memory, acts, left } = limit({ memoryLimit: 500 }, 1);
  expect([memory.watched, memory.procs]).toEqual([undefined, '/procs']);
  expect(memory.claimOomKill()).toBe(true);
  expect(left()).toBe(1);
  memory.end();
  expect(acts).toEqual(['open app 500', 'remove']);
  expect(limit({ memoryLimit: 500 }, 0).memory.claimOomKill()).toBe(false);
});

test('what the kernel does not hold is watched, by the smaller of two limits', () => {
  expect(limit({ memoryLimit: 500 }, undefined).memory.watched).toBe(500);
  expect(limit({ memoryLimit: 500, memoryRestart: 300 }, undefined).memory.watched).toBe(300);
  expect(limit({ memoryLimit: 500, memoryRestart: 300 }, 0).memory.watched).toBe(300);
  expect(limit({ memoryLimit: 500 }, undefined).memory.claimOomKill()).toBe(true);
});

test('a task has no limit', () => {
  const source = { openMemoryGroup: () => expect.unreachable(), claimOomKill: () => false };
  expect(limitMemory(aTask('migrate'), source).watched).toBeUndefined();
});
