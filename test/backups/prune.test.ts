import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pruneBackups } from '../../src/backups/prune.ts';
import { readShelf } from '../../src/backups/shelf.ts';
import { shelve } from '../support/shelf.ts';

test('one that was found bad never keeps its place from a good one of the same week', () => {
  const root = mkdtempSync(join(tmpdir(), 'bulkhead-prune-'));
  try {
    const now = Date.parse('2026-06-30T12:00:00Z');
    for (let day = 0; day < 90; day += 1) {
      const ok = day % 2 === 0;
      shelve(root, new Date(now - (day + 0.5) * 86_400_000).toISOString(), {
        verified: { level: 'restored', ok, ...(ok ? {} : { problem: 'a table differs' }) },
      });
    }
    const keep = { days: 3, weekly: 52, monthly: 12, verified: 3 };
    const { held } = pruneBackups({ root, keep, now, dryRun: false });
    expect(held).toEqual([]);
    const old = readShelf(root).filter(({ startedAt }) => now - Date.parse(startedAt) > 3 * 86_400_000);
    expect(old.length).toBeGreaterThan(10);
    expect(old.every(({ verified }) => verified?.ok)).toBe(true);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
