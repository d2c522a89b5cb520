import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BadBackup, blameBackup } from '../../src/backups/bad-backup.ts';
import type { PostgresPlace } from '../../src/backups/postgres-place.ts';
import { readShelf, requireWhole } from '../../src/backups/shelf.ts';
import { verifyBackup } from '../../src/backups/verify-backup.ts';
import type { Job } from '../../src/program/job.ts';
import { shelve } from '../support/shelf.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bulkhead-bad-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** With a pg_restore that does this. */
async function verifyWith(script: string): Promise<{ readonly ok: boolean }> {
  const id = shelve(root, '2026-01-01T02:00:00.000Z');
  const folder = join(root, 'dump', id);
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const databases = [{ name: 'app', owner: 'app', extensions: [], tables: [] }];
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, databases }));
  const [backup] = readShelf(root);
  if (backup === undefined) throw new Error('there is no backup');
  writeFileSync(join(root, 'pg_restore'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const job = { signal: new AbortController().signal, report: () => undefined, plan: {} } as unknown as Job;
  const place = { binaries: { bin: root, major: 15, embedded: false, env: {} } } as unknown as PostgresPlace;
  try {
    return await verifyBackup(job, place, requireWhole(backup), 'readable');
  } finally {
    if (script.includes('kill') || script.includes('space')) {
      expect(existsSync(join(folder, 'verified.json'))).toBe(false);
    }
  }
}

test('a tool that is killed, or has no room, says nothing about the backup', async () => {
  await expect(verifyWith('kill -9 $$')).rejects.toThrow('killed by SIGKILL');
  rmSync(join(root, 'dump'), { recursive: true });
  await expect(
    verifyWith('echo "pg_restore: error: could not write: No space left on device" >&2; exit 1'),
  ).rejects.toThrow('No space left');
  rmSync(join(root, 'dump'), { recursive: true });
  expect(await verifyWith('echo "pg_restore: error: end of file" >&2; exit 1')).toMatchObject({ ok: false });
});

test.each([
  ['pg_restore was killed by SIGKILL', false],
  ['ERROR:  could not extend file "base/1/2": No space left on device', false],
  ['server closed the connection unexpectedly', false],
  ['Connection terminated unexpectedly', false],
  ['the archive is cut off or damaged: could not read from input file: end of file', true],
  ['invalid page in block 100 of relation base/1/2', true],
])('%s: the fault of the backup: %s', (text, isItsOwn) => {
  const cause = new Error('the cause');
  let thrown: unknown;
  try {
    blameBackup(text, cause);
  } catch (error) {
    thrown = error;
  }
  expect(thrown instanceof BadBackup).toBe(isItsOwn);
  expect(thrown === cause).toBe(!isItsOwn);
});
