import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureSecretFile } from '../../src/system/secret-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-secret-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a secret is made once, closed to others, and no two are alike', () => {
  const path = join(folder, 'secrets', 'one');
  const secret = ensureSecretFile(path);
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(ensureSecretFile(path)).toBe(secret);
  expect(ensureSecretFile(join(folder, 'secrets', 'two'))).not.toBe(secret);
});

test('what somebody put there counts, an empty file does not', () => {
  writeFileSync(join(folder, 'given'), 'by hand\n');
  writeFileSync(join(folder, 'empty'), '\n');
  expect(ensureSecretFile(join(folder, 'given'))).toBe('by hand');
  expect(ensureSecretFile(join(folder, 'empty'))).toHaveLength(43);
});
