import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SecretFolder, secretParts, secretsOfEnvironment } from '../../src/supervisor/known-secrets.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (path: string): string => readFileSync(path, 'utf8');

describe('what is secret', () => {
  it.each([
    ['of a plain value, all of it', 'hunter2hunter2', ['hunter2hunter2']],
    ['of a database’s address its password', 'postgresql://app:p%40ss@db/x', ['p%40ss', 'p@ss']],
    ['of a database’s address without one nothing', 'postgresql://db.example.com/x', []],
    ['of a hook all of it', 'https://hooks.example.com/T1/abc', ['https://hooks.example.com/T1/abc']],
  ])('%s', (_what, value, parts) => {
    expect(secretParts(value)).toEqual(parts);
  });

  it('in an environment goes by its name, and may stand in a file', () => {
    writeFileSync(join(folder, 'key'), 'from-a-file\n');
    const env = {
      GEMINI_API_KEY: 'key-value',
      PORT: '3000',
      STRIPE_TOKEN_FILE: join(folder, 'key'),
      OTHER_SECRET_FILE: join(folder, 'nothing'),
      LOG_FILE: join(folder, 'key'),
      EMPTY_TOKEN: '',
    };
    expect(secretsOfEnvironment(env, read)).toEqual(['key-value', 'from-a-file']);
  });

  it('in the folder of secrets is read once, and again where it has changed', () => {
    const secrets = new SecretFolder(folder, read);
    writeFileSync(join(folder, 'token'), 'first\n');
    expect(secrets.look()).toEqual(['first']);
    expect(secrets.look()).toEqual([]);
    writeFileSync(join(folder, 'made-later'), 'second');
    expect(secrets.look()).toEqual(['second']);
    expect(new SecretFolder(join(folder, 'nowhere'), read).look()).toEqual([]);
  });
});
