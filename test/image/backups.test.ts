/** A backup's whole life in the image: made, proven, the cluster lost, brought back without a supervisor. */
import { expect, it } from 'vitest';
import { type Container, docker, IMAGE, makeVolume, runContainer, useContainers } from './container.ts';

useContainers();

/** A command of bulkhead on a volume where nothing runs, as people do after a disaster. */
function alone(volume: string, ...argv: string[]): ReturnType<typeof docker> {
  return docker([
    ...['run', '--rm', '--network', 'host', '--volume', `${volume}:/data`],
    ...['--entrypoint', 'bulkhead', IMAGE, ...argv],
  ]);
}

async function psql(container: Container, sql: string): Promise<string> {
  const { code, stdout, stderr } = await container.exec(['bulkhead', 'db', 'psql', '--', '-Atc', sql]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout.trim();
}

it('run, verify, disaster, restore: the app is back and every row is equal', async () => {
  const volume = await makeVolume();
  const product = await runContainer({ volume });
  await product.ready();
  await psql(
    product,
    `CREATE TABLE mine (n int PRIMARY KEY, t text); INSERT INTO mine SELECT i, md5(i::text) FROM generate_series(1, 5000) i`,
  );
  const fingerprint = `SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM mine t`;
  const before = await psql(product, fingerprint);

  const made = await product.exec(['bulkhead', 'backup', 'run', 'daily', '--json']);
  expect(made).toMatchObject({ code: 0 });
  const list = await product.exec(['bulkhead', 'backup', 'list', '--json']);
  const { backups } = JSON.parse(list.stdout) as {
    backups: { kind: string; verified: { level: string; ok: boolean } }[];
  };
  expect(new Map(backups.map(({ kind, verified }) => [kind, verified.ok]))).toEqual(
    new Map([
      ['dump', true],
      ['assets', true],
      ['config', true],
    ]),
  );
  expect(backups.find(({ kind }) => kind === 'dump')?.verified.level).toBe('restored');
  const bytes = await product.exec(['bash', '-c', 'stat -c "%U %a" /data/backups/dump/*/globals.sql']);
  expect(bytes.stdout.trim()).toBe('postgres 600');
  expect(await product.stop()).toBe(0);

  // The disaster: the cluster is gone, and the veto keeps an empty one from taking its place.
  await docker([
    'run',
    '--rm',
    '--volume',
    `${volume}:/data`,
    '--entrypoint',
    'rm',
    IMAGE,
    '-rf',
    '/data/pg',
  ]);
  await product.start();
  expect(await product.exitCode()).toBe(12);
  expect(await product.logs()).toMatch(/cannot create a cluster.*/);

  // Nothing is there that could be replaced, so nothing is asked.
  const restored = await alone(volume, 'backup', 'restore', 'latest');
  expect(restored.stderr + restored.stdout).toMatch(/restored/);
  expect(restored.code).toBe(0);

  await product.start();
  await product.ready();
  expect(await psql(product, fingerprint)).toBe(before);
  expect(await product.tools()).toBe(16_765);
});
