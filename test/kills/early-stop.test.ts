/** A stop must be heard in every moment of a first boot, also in those in which a program becomes postgres. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { freePorts, startSupervisor } from '../support/supervisor.ts';

/** From the cluster to a postgres that hears by itself. */
const WINDOW_MS = 100;
const TIMES = 16;

test('a stop while the database starts ends 0, at sixteen moments one after another', async () => {
  const ends: (number | null)[] = [];
  for (let time = 0; time < TIMES; time += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-early-'));
    chmodSync(folder, 0o755);
    const [database] = await freePorts(1);
    try {
      await using supervisor = await startSupervisor({
        folder,
        plan: 'version: 1\nname: early\ndatabase: { name: app, user: app }\n',
        env: { BULKHEAD_DB_PORT: String(database) },
      });
      await supervisor.says('created a cluster');
      await sleep((WINDOW_MS * time) / TIMES);
      ends.push((await supervisor.stop()).code);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  expect(ends).toEqual(Array.from({ length: TIMES }, () => 0));
});
