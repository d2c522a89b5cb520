/** An image with two majors of PostgreSQL, `--build-arg OLD_POSTGRES=16`: a volume of the old one is moved to the new one. */
import { expect, it } from 'vitest';
import { makeVolume, runContainer, UPGRADE_IMAGE, useContainers } from './container.ts';

useContainers();

const MAJOR = "SELECT current_setting('server_version_num')::int / 10000";

it('serves a volume of the older major by that one, and moves it when somebody says so', async () => {
  const volume = await makeVolume();
  const old = { image: UPGRADE_IMAGE, volume, env: { BULKHEAD_POSTGRES_BIN: '/usr/lib/postgresql/16/bin' } };
  const before = await runContainer(old);
  await before.ready();
  expect([await before.sql(MAJOR), await before.tools()]).toEqual(['16', 16_765]);
  expect(await before.stop()).toBe(0);
  await before.remove();

  const container = await runContainer({ image: UPGRADE_IMAGE, volume });
  await container.ready();
  expect(await container.sql(MAJOR)).toBe('16');
  const { stdout: told } = await container.exec(['bulkhead', 'status']);
  expect(told).toMatch(/PostgreSQL 16, and 17 is here: bulkhead db upgrade moves it/);
  // The server alone is there, no pg_dump of its major: the backup that one wants before is the old image's to make.
  const upgrade = ['bulkhead', 'db', 'upgrade', '--yes'];
  expect((await container.exec(upgrade)).stderr).toMatch(
    /no verified backup of this cluster of the last day/,
  );
  const { code, stderr } = await container.exec([...upgrade, '--yes-without-backup']);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/error/)]);
  await container.ready();
  expect([await container.sql(MAJOR), await container.tools()]).toEqual(['17', 16_765]);
});
