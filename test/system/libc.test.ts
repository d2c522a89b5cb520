import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isDumpable, readAs } from '../../src/system/libc.ts';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

test('a signal that is given back to the kernel ends a program that is too busy to hear it', async () => {
  const busy = startChild([process.execPath, join(import.meta.dirname, '../programs/deaf-while-busy.ts')]);
  await busy.printed('busy');
  busy.process?.signal('SIGTERM', 'leader');
  expect(await busy.exited).toMatchObject({ code: null, signal: 'SIGTERM' });
});

test('an end at once has its exit code, and nothing of an end of Node', async () => {
  const child = startChild([process.execPath, join(import.meta.dirname, '../programs/ends-at-once.ts')]);
  expect(await child.exited).toMatchObject({ code: 7, signal: null });
  expect((await child.output).stdout).toBe('');
});

test('who has read with the rights of another user can be looked into as before, by a debugger and by the kernel', () => {
  expect(isDumpable()).toBe(true);
  // Root alone may; for everybody else it is a read as any other.
  expect(readAs(65534, 65534, () => readFileSync('/proc/self/comm', 'utf8'))).not.toBe('');
  expect(isDumpable()).toBe(true);
  expect(() =>
    readAs(65534, 65534, () => {
      throw new Error('unreadable');
    }),
  ).toThrow('unreadable');
  expect(isDumpable()).toBe(true);
});
