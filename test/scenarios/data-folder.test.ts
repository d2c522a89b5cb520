import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startSupervisor } from '../support/supervisor.ts';

const PLAN = "version: 1\nservices: { app: { command: [sh, -c, 'echo here; exec sleep 1000'] } }";

describe('the data folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bulkhead-data-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('may be a link, and is one folder by whichever name', async () => {
    mkdirSync(join(folder, 'real'));
    symlinkSync(join(folder, 'real'), join(folder, 'data'));
    await using first = await startSupervisor({ plan: PLAN, folder });
    await first.ready();
    await using second = await startSupervisor({
      plan: PLAN,
      folder,
      env: { BULKHEAD_DATA: join(folder, 'real') },
    });
    expect((await second.finished).code).toBe(75);
    expect(second.output()).toContain(`pid ${first.child.pid}`);
    expect((await first.stop()).code).toBe(0);
  });

  test('that is no folder is refused with 13, named, before anything starts', async () => {
    writeFileSync(join(folder, 'data'), '');
    await using bulkhead = await startSupervisor({ plan: PLAN, folder });
    expect((await bulkhead.finished).code).toBe(13);
    expect(bulkhead.output()).toContain(
      `cannot use the data folder ${join(folder, 'data')}: it is no folder`,
    );
  });

  test('must be a volume where that is required, and nothing is made in its place', async () => {
    // The kernel's own files are on a mount, but in memory.
    await using bulkhead = await startSupervisor({
      plan: PLAN,
      folder,
      env: { BULKHEAD_REQUIRE_VOLUME: '1', BULKHEAD_DATA: '/dev/shm/bulkhead-no-volume' },
    });
    expect((await bulkhead.finished).code).toBe(13);
    expect(bulkhead.output()).toContain('/dev/shm/bulkhead-no-volume is not a volume');
  });
});
