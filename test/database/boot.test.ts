import { afterEach, describe, expect, test } from 'vitest';
import { makeEmptyVolume, type TestVolume } from '../support/postgres.ts';

let volume: TestVolume;
afterEach(() => volume.remove());

describe('the first boot', () => {
  test('makes a cluster, a role and an empty database from nothing', async () => {
    volume = await makeEmptyVolume();
    const setup = await volume.boot();
    expect(setup.stderr).toContain('created the database tools');
    expect(setup.code).toBe(0);
    expect(await volume.databases()).toEqual(['tools']);
    const [row] = await volume.query<{ me: string; superuser: string }>(
      `SELECT session_user AS me, current_setting('is_superuser') AS superuser`,
    );
    expect(row).toEqual({ me: 'tools_user', superuser: 'off' });
    expect(await volume.stopServer()).toBe(0);
  });
});
