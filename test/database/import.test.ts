import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { COUNTS, type Dumps, makeDumps, OBJECTS } from '../support/dumps.ts';
import type { TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

let source: TestVolume;
let dumps: Dumps;
let expected: { counts: unknown; objects: unknown };
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-dumps-'));
  chmodSync(folder, 0o755);
  source = await makeVolume();
  await source.boot();
  dumps = await makeDumps(source, folder);
  expected = {
    counts: (await source.admin(COUNTS, 'source'))[0],
    objects: (await source.admin(OBJECTS, 'source'))[0],
  };
});
afterAll(async () => {
  await source.remove();
  rmSync(folder, { recursive: true, force: true });
});

let volume: TestVolume;
beforeEach(async () => {
  volume = await makeVolume();
});
afterEach(() => volume.remove());

describe('a dump in /data/import', () => {
  test.each(['plain', 'inserts', 'clean', 'gzip', 'zstd', 'custom', 'directory', 'tar', 'forced'] as const)(
    '%s becomes the database with every row, object and byte',
    async (kind) => {
      mkdirSync(join(volume.dataDir, 'import'));
      cpSync(dumps[kind], join(volume.dataDir, 'import', 'backup'), { recursive: true });
      const setup = await volume.boot();
      expect(setup.failure ?? (setup.code === 0 ? undefined : setup.stderr)).toBeUndefined();
      expect(setup.stderr).not.toContain('could not count');
      expect((await volume.admin(COUNTS, 'tools'))[0]).toEqual(expected.counts);
      expect((await volume.admin(OBJECTS, 'tools'))[0]).toEqual(expected.objects);
      expect(await volume.databases()).toEqual(['tools']);
      const owners = await volume.admin(
        `SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm', 'S')`,
        'tools',
      );
      expect(owners).toEqual([{ owner: 'tools_user' }]);
      const ledger = await volume.admin<{ kind: string; detail: { database: string } }>(
        'SELECT kind, detail FROM bulkhead.ledger',
      );
      expect(ledger).toMatchObject([{ kind: 'import', detail: { database: 'tools', rows: 3135 } }]);
    },
  );
});
