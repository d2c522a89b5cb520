import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

test('a signal that is given back to the kernel ends a program that is too busy to hear it', async () => {
  const busy = startChild([process.execPath, join(import.meta.dirname, '../programs/deaf-while-busy.ts')]);
  await busy.printed('busy');
  busy.process?.signal('SIGTERM', 'leader');
  expect(await busy.exited).toMatchObject({ code: null, signal: 'SIGTERM' });
});
