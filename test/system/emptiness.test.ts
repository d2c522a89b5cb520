import { expect, onTestFinished, test } from 'vitest';
import { whenEmpty } from '../../src/system/emptiness.ts';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

test('what shows itself only after everything was to be killed is killed by itself', async () => {
  const tag = `condemned-${process.pid}:1`;
  const child = startChild(['sh', '-c', 'setsid sleep 1000 & echo started; wait'], { tag });
  await child.printed('started');
  child.process?.signal('SIGKILL', 'leader');
  await child.exited;
  const pid = child.process?.pid ?? 0;
  const path = process.env.PATH;
  // So that the second sweep by `ps` cannot be what did it.
  process.env.PATH = '/nowhere';
  onTestFinished(() => {
    process.env.PATH = path;
  });
  await new Promise<void>((resolve) => whenEmpty({ pid, tag, gone: true, condemned: true }, resolve));
  await child.emptied;
});

test('a hundred families that end together are told each, and no listener stays', async () => {
  const before = process.listenerCount('SIGCHLD');
  const children = Array.from({ length: 100 }, () => startChild(['sleep', '1000']));
  for (const child of children) child.process?.signal('SIGTERM', 'leader');
  await Promise.all(children.map((child) => child.emptied));
  expect(process.listenerCount('SIGCHLD')).toBe(before);
});
