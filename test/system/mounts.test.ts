import { expect, test } from 'vitest';
import { isOnVolume, isVolume } from '../../src/system/mounts.ts';

const TABLE = [
  '21 1 0:20 / / rw,relatime shared:1 - overlay overlay rw',
  '22 21 0:21 / /run rw - tmpfs tmpfs rw',
  '23 21 8:1 /volumes/data /data rw,relatime master:2 - ext4 /dev/sda1 rw',
  '24 21 8:1 /x /with\\040blank rw - xfs /dev/sdb rw',
  '25 21 0:30 / /hidden rw - ext4 /dev/sdc rw',
  '26 21 0:31 / /hidden rw - tmpfs tmpfs rw',
].join('\n');

test.for([
  ['/data', true],
  ['/data/deep/below', true],
  ['/database', false],
  ['/with blank/x', true],
  ['/run/data', false],
  ['/hidden', false],
  ['/', false],
  ['/opt', false],
] as const)('%s is on a volume: %s', ([path, expected]) => {
  expect(isVolume(path, TABLE)).toBe(expected);
});

test('a folder that is not there yet lies where it will be made', () => {
  expect(isOnVolume('/proc/none/such')).toBe(true);
  expect(isOnVolume('/no/such/folder')).toBe(false);
});
