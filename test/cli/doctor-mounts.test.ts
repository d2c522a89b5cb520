import { describe, expect, test } from 'vitest';
import { mountOf, parseMounts } from '../../src/cli/doctor/mounts.ts';
import { examineMount } from '../../src/cli/doctor/volume.ts';

const CONTAINER = `1 0 0:50 / / rw,relatime - overlay overlay rw
2 1 0:51 / /proc rw - proc proc rw
3 1 8:1 /volumes/x /data\\040dir rw - ext4 /dev/sda1 rw
4 1 0:52 / /usr rw master:1 - tmpfs tmpfs rw
`;

describe('the mounts of a container', () => {
  test('are read with their escapes', () => {
    expect(parseMounts(CONTAINER)).toContainEqual({ point: '/data dir', type: 'ext4' });
  });

  test('are found by the deepest that holds a path', () => {
    const mounts = parseMounts(CONTAINER);
    expect(mountOf('/data dir/pg', mounts)?.type).toBe('ext4');
    expect(mountOf('/data', mounts)?.type).toBe('overlay');
    expect(mountOf('/procession', mounts)?.type).toBe('overlay');
  });

  test('show a volume that is none', () => {
    expect(examineMount('/etc', '/etc', CONTAINER)).toMatchObject({
      level: 'warn',
      fact: expect.stringContaining('is not a mount'),
    });
    expect(examineMount('/usr/lib', '/usr/lib', CONTAINER)).toMatchObject({
      level: 'warn',
      fact: expect.stringContaining('in memory'),
    });
  });
});
