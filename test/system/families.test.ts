import { expect, test } from 'vitest';
import { readFamilies } from '../../src/system/families.ts';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

const burns = `perl -e '$x = "x" x 30e6; $| = 1; open F, "/dev/null"; 1 while (times)[0] < 0.1; print "burnt\\n"; sleep 1000'`;

test('what a family uses is the sum over all of it, and it is gone with the last of it', async () => {
  const child = startChild(['sh', '-c', `${burns} & setsid ${burns} & wait`]);
  await child.printed('burnt\nburnt\n');
  const ours = () => readFamilies().find(({ leader }) => leader.pid === child.process?.pid)?.load;
  const load = ours();
  expect(load?.cpuSeconds).toBeGreaterThanOrEqual(0.18);
  expect(load?.residentBytes).toBeGreaterThan(60e6);
  expect(load?.processes).toBeGreaterThanOrEqual(3);
  expect(load?.threads).toBe(load?.processes);
  expect(load?.openFiles).toBeGreaterThanOrEqual(3 * 3 + 2);
  child.process?.signal('SIGKILL', 'everything');
  await child.emptied;
  expect(ours()).toBeUndefined();
});
