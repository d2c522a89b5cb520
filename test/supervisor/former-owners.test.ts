import { spawnSync } from 'node:child_process';
import { chmodSync, lchownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const main = join(import.meta.dirname, '..', '..', 'dist', 'main.js');

const FORMER = 12_345;

/** A dump that is whole to look at, and fails when it is run. */
const FAILS_LATE = `--
-- PostgreSQL database dump
--
CREATE TABLE public.t (a integer);
SELECT 1 / 0;
--
-- PostgreSQL database dump complete
--
`;

test.skipIf(process.geteuid?.() !== 0)(
  'a restore of root’s that fails late leaves every folder to whom it belonged',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-owners-'));
    chmodSync(folder, 0o755);
    const data = join(folder, 'data');
    try {
      for (const path of ['', 'pg', 'wal', 'backups', 'backups/dump']) {
        mkdirSync(join(data, path));
        lchownSync(join(data, path), FORMER, FORMER);
      }
      writeFileSync(join(data, 'backups', 'theirs'), '');
      lchownSync(join(data, 'backups', 'theirs'), FORMER, FORMER);
      const dump = join(folder, 'dump.sql');
      writeFileSync(dump, FAILS_LATE);
      const plan = join(folder, 'plan.yaml');
      writeFileSync(plan, 'version: 1\ndatabase: { name: kept, user: kept }\n');
      const words = ['backup', 'restore', dump, '--config', plan, '--data', data];
      const restored = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' });
      expect(restored.stderr).toContain('division by zero');
      expect(restored.status).not.toBe(0);
      const owners = ['pg', 'wal', 'backups', 'backups/dump', 'backups/theirs'].map(
        (path) => statSync(join(data, path)).uid,
      );
      expect(owners).toEqual(owners.map(() => FORMER));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);

test.skipIf(process.geteuid?.() !== 0)(
  'a restore of root’s makes an empty volume the one of the dump',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'bulkhead-owners-'));
    chmodSync(folder, 0o755);
    try {
      const dump = join(folder, 'dump.sql');
      writeFileSync(dump, FAILS_LATE.replace('SELECT 1 / 0;', 'SELECT 1;'));
      const plan = join(folder, 'plan.yaml');
      writeFileSync(plan, 'version: 1\ndatabase: { name: kept, user: kept }\n');
      const words = ['backup', 'restore', dump, '--config', plan, '--data', join(folder, 'data')];
      const restored = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' });
      expect(restored).toMatchObject({ status: 0, stdout: expect.stringContaining(`restored ${dump}`) });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
