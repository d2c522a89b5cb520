/** What ends at once, with the code of the contract and a sentence that names the fix. */
import { expect, it } from 'vitest';
import { freePorts, makeVolume, openServer, runContainer, useContainers } from './container.ts';

useContainers();

it('refuses an unknown tier', async () => {
  const container = await runContainer({ env: { BULKHEAD_TIER: 'cor' } });
  expect(await container.exitCode()).toBe(13);
  expect(await container.logs()).toContain('core');
});

it('refuses a port that is taken, and says which', async () => {
  const taken = await openServer();
  const container = await runContainer({ ports: { ...(await freePorts()), app: taken.port } });
  expect(await container.exitCode()).toBe(13);
  expect(await container.logs()).toContain(String(taken.port));
  await taken.close();
});

it('refuses a volume that another supervisor uses, and leaves that one alone', async () => {
  const volume = await makeVolume();
  const first = await runContainer({ volume });
  await first.ready();
  const second = await runContainer({ volume });
  expect(await second.exitCode()).toBe(75);
  expect(await first.tools()).toBe(16_765);
  expect(await first.stop()).toBe(0);
});

it('warns loudly where /data is no mount, and refuses when asked to', async () => {
  const loose = await runContainer();
  await loose.ready();
  expect(await loose.logs()).toContain('/data is not a volume');
  expect(await loose.stop()).toBe(0);
  const strict = await runContainer({ env: { BULKHEAD_REQUIRE_VOLUME: '1' } });
  expect(await strict.exitCode()).toBe(13);
});
