/** Volumes for tests: each gets a copy of one cluster per test file, because initdb takes a second. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { makeEmptyVolume, type TestVolume, type VolumeOptions } from './postgres.ts';

let template: Promise<TestVolume> | undefined;

afterAll(async () => {
  const volume = await template;
  await volume?.remove();
});

/** A volume with a cluster on which nothing runs yet. `await volume.remove()` ends and deletes all. */
export async function makeVolume(options: VolumeOptions = {}): Promise<TestVolume> {
  template ??= makeTemplate();
  const volume = await makeEmptyVolume(options);
  execFileSync('cp', ['-a', join((await template).dataDir, 'pg'), join(volume.dataDir, 'pg')]);
  return volume;
}

async function makeTemplate(): Promise<TestVolume> {
  const volume = await makeEmptyVolume();
  const made = await volume.run('cluster');
  if (made.code !== 0) throw new Error(made.stderr);
  return volume;
}
