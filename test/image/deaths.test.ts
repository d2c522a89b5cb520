/** kill -9 of what the product is made of, and what it says meanwhile. */
import { beforeAll, expect, it } from 'vitest';
import {
  type Container,
  isApp,
  isBackend,
  isPostmaster,
  makeVolume,
  type Process,
  runContainer,
  useContainers,
  waitFor,
} from './container.ts';

useContainers();
let container: Container;

beforeAll(async () => {
  container = await runContainer({ volume: await makeVolume() });
  await container.ready();
});

/** Kills, then waits until rows are served again by a product that calls itself ready; what /readyz said on the way. */
async function killAndWatch(victim: (process: Process) => boolean): Promise<number[]> {
  // A query, so that there is a backend.
  await container.tools();
  const found = (await container.processes()).find(victim);
  expect(found).toBeDefined();
  expect(await container.exec(['bash', '-c', `kill -9 ${found?.pid}`])).toMatchObject({ code: 0 });
  const said: number[] = [];
  await waitFor(
    'the product to be ready again',
    async () => {
      said.push((await container.probe('/readyz')).status);
      const rows = await container.tools().catch(() => -1);
      if (rows !== 16_765 || (await container.processes()).some(({ pid }) => pid === found?.pid))
        return false;
      return (await container.probe('/readyz')).status === 200;
    },
    container,
  );
  return said;
}

it('starts the app again, and is not ready while it is gone', async () => {
  expect(await killAndWatch(isApp)).toContain(503);
});

it('survives the death of one backend', async () => {
  const before = (await container.processes()).find(isPostmaster)?.pid;
  await killAndWatch(isBackend);
  expect((await container.processes()).find(isPostmaster)?.pid).toBe(before);
});

it('starts PostgreSQL again after the postmaster, and is not ready while it is gone', async () => {
  expect(await killAndWatch(isPostmaster)).toContain(503);
});

it('still stops clean', async () => {
  expect(await container.stop()).toBe(0);
});
