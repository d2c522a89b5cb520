import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { linkEmbeddedLibraries } from '../../src/postgres/embedded-postgres.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-embedded-'));
  mkdirSync(join(folder, 'native', 'lib'), { recursive: true });
  writeFileSync(join(folder, 'native', 'lib', 'libpq.so.5.18'), '');
});
afterEach(() => rmSync(folder, { recursive: true }));

function list(links: { source: string; target: string }[]): void {
  writeFileSync(join(folder, 'native', 'pg-symlinks.json'), JSON.stringify(links));
}

test('the links npm skipped are made where they belong', () => {
  list([{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }]);
  expect(linkEmbeddedLibraries(folder, join(folder, 'own'))).toEqual({});
  expect(readlinkSync(join(folder, 'native/lib/libpq.so.5'))).toBe('libpq.so.5.18');
  expect(linkEmbeddedLibraries(folder, join(folder, 'own'))).toEqual({});
});

test('where they cannot be made there, a folder of ours holds them and the loader is told', () => {
  list([{ source: 'native/lib/libpq.so.5.18', target: 'native/sealed/libpq.so.5' }]);
  const own = join(folder, 'own');
  expect(linkEmbeddedLibraries(folder, own)).toEqual({ LD_LIBRARY_PATH: own });
  expect(readlinkSync(join(own, 'libpq.so.5'))).toBe(join(folder, 'native/lib/libpq.so.5.18'));
});
