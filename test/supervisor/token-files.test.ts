import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Plan } from '../../src/config/plan.ts';
import type { TokenShelf } from '../../src/supervisor/control/target.ts';
import { createTokenShelf } from '../../src/supervisor/token-files.ts';

let dataDir: string;
let shelf: TokenShelf;
/** BULKHEAD_TOKEN */
let given: string | undefined;
beforeEach(() => {
  given = 'of-the-environment';
  dataDir = mkdtempSync(join(tmpdir(), 'tokens-'));
  const api = { tokens: [{ name: 'grafana', role: 'viewer', token: 'x' }] };
  shelf = createTokenShelf(
    () => ({ dataDir, api, token: given }) as unknown as Plan,
    () => 0,
  );
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const deploy = { name: 'deploy', role: 'operator', sha256: 'a'.repeat(64) } as const;
const folder = () => join(dataDir, 'secrets/tokens');

test('a token is a file for its owner’s eyes, and outlives us', () => {
  shelf.add(deploy);
  expect(statSync(folder()).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder(), 'deploy.json')).mode & 0o777).toBe(0o600);
  expect(shelf.stored()).toEqual([{ ...deploy, createdAt: '1970-01-01T00:00:00.000Z' }]);
  expect(shelf.list().map(({ name, role, from }) => `${name} ${role} ${from}`)).toEqual([
    'main admin environment',
    'grafana viewer plan',
    'deploy operator volume',
  ]);
  expect(JSON.stringify(shelf.list())).not.toContain(deploy.sha256);
});

test('the main one is of whoever gave it, or our own', () => {
  expect(shelf.list()[0]).toEqual({ name: 'main', role: 'admin', from: 'environment' });
  given = undefined;
  expect(shelf.list()[0]).toEqual({ name: 'main', role: 'admin', from: 'generated' });
});

test.each(['main', 'grafana', 'deploy'])('no second one can be called %s', (name) => {
  shelf.add(deploy);
  expect(() => shelf.add({ ...deploy, name })).toThrow(/there is one of the name/);
});

test('revoked, it is gone; those of others are not ours to end', () => {
  shelf.add(deploy);
  shelf.remove('deploy');
  expect(readdirSync(folder())).toEqual([]);
  expect(() => shelf.remove('deploy')).toThrow(/there is none of the name/);
  expect(() => shelf.remove('main')).toThrow(/was not made by: bulkhead token create/);
  expect(() => shelf.remove('grafana')).toThrow(/was not made by/);
});

test.each([
  ['torn', '{"name":"deploy","role":"opera'],
  ['of another name', '{"name":"main","role":"admin","sha256":"HASH","createdAt":"x"}'],
  ['of a role there is not', '{"name":"deploy","role":"root","sha256":"HASH","createdAt":"x"}'],
  [
    'without an end one can read',
    '{"name":"deploy","role":"admin","sha256":"HASH","createdAt":"x","expiresAt":"soon"}',
  ],
])('a file that is %s opens nothing', (_what, text) => {
  shelf.add(deploy);
  writeFileSync(join(folder(), 'deploy.json'), text.replace('HASH', 'a'.repeat(64)));
  expect(shelf.stored()).toEqual([]);
});
