/** Places that give a container no root, and no disk to write on. */
import { expect, it } from 'vitest';
import { makeVolume, runContainer, useContainers } from './container.ts';

useContainers();

const READ_ONLY = ['--read-only', '--tmpfs', '/run', '--tmpfs', '/tmp'];

it.each([
  ['as root on a read-only root', READ_ONLY],
  ['as a uid that no passwd knows', ['--user', '10001:10001']],
  [
    'as that uid without capabilities on a read-only root',
    ['--user', '10001:10001', '--cap-drop', 'ALL', ...READ_ONLY],
  ],
])('boots, serves, stops and boots again %s', async (_, args) => {
  const volume = await makeVolume();
  const container = await runContainer({ volume, args });
  await container.ready();
  expect(await container.tools()).toBe(16_765);
  // As a person does with `docker exec`: the socket is where the image says.
  expect(await container.sql('SELECT count(*) FROM tools')).toBe('16765');
  expect(await container.stop()).toBe(0);
  await container.start();
  await container.ready();
  expect(await container.tools()).toBe(16_765);
  expect(await container.stop()).toBe(0);
  await container.remove();
});

it('says that services share one uid where they do', async () => {
  const container = await runContainer({
    volume: await makeVolume(),
    args: ['--user', '10001:10001'],
    env: { BULKHEAD_TOKEN: 'let-me-see' },
  });
  await container.ready();
  expect((await container.processes()).filter(({ uid }) => uid !== 10_001)).toEqual([]);
  const health = await container.probe('/health', { authorization: 'Bearer let-me-see' });
  expect(health.text).toContain('isolated');
  expect(await container.stop()).toBe(0);
});
