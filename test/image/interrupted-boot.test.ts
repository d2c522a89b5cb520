/** A first boot that is cut short leaves nothing half-done for the next. */
import { expect, it } from 'vitest';
import { type Container, makeVolume, runContainer, useContainers, waitFor } from './container.ts';

useContainers();

const said = (container: Container, words: string): Promise<void> =>
  waitFor(`"${words}" in the log`, async () => (await container.logs()).includes(words), container);

async function expectWhole(container: Container): Promise<void> {
  await container.start();
  await container.ready();
  expect(await container.tools()).toBe(16_765);
  const imports = (await container.logs())
    .split('\n')
    .filter((line) => /setup +\| INFO +imported/.test(line));
  expect(imports).toHaveLength(1);
  expect(await container.stop()).toBe(0);
}

it.each(['created a cluster', 'ready to accept connections', 'created the role'])(
  'stops clean right after "%s", and the next boot is whole',
  async (words) => {
    const container = await runContainer({ volume: await makeVolume() });
    await said(container, words);
    expect(await container.stop()).toBe(0);
    await expectWhole(container);
  },
);

it.each(['created a cluster', 'created the role'])(
  'is whole after a kill right after "%s"',
  async (words) => {
    const container = await runContainer({ volume: await makeVolume() });
    await said(container, words);
    await container.kill();
    await expectWhole(container);
  },
);
