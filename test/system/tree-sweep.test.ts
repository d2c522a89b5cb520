import { afterEach, expect, test } from 'vitest';
import { sweepTree } from '../../src/system/tree-sweep.ts';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

const path = process.env.PATH;
afterEach(() => {
  process.env.PATH = path;
});

test('a process and all below it are killed', async () => {
  const child = startChild(['sh', '-c', 'sh -c "sleep 1000; true" & echo started; exec sleep 1000']);
  await child.printed('started');
  sweepTree(child.process?.pid ?? 0);
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await child.emptied;
});

test('without ps nothing happens, and nothing is thrown', async () => {
  const child = startChild(['sleep', '1000']);
  process.env.PATH = '/nowhere';
  sweepTree(child.process?.pid ?? 0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(child.told).toEqual([]);
});
