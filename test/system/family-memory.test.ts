import { expect, test } from 'vitest';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

const MB = 1024 * 1024;
const holds = (mb: number): string => `perl -e '$x = "x" x ${mb}e6; $| = 1; print "held\\n"; sleep 1000'`;

test('the memory of a child and of all its descendants is counted, also of one that left its session', async () => {
  const child = startChild(['sh', '-c', `${holds(20)} & setsid ${holds(30)} & wait`]);
  await child.printed('held\nheld\n');
  const used = child.process?.memory() ?? 0;
  expect(used).toBeGreaterThan(50 * 1e6);
  expect(used).toBeLessThan(120 * MB);
  child.process?.signal('SIGKILL', 'everything');
  await child.emptied;
  expect(child.process?.memory()).toBe(0);
});
