import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitEnvironment } from '../../src/bundles/env-file.ts';

const split = (text: string, address?: string) => splitEnvironment(text, address);

describe('an environment file', () => {
  test('loses its secrets, over as many lines as they have, and keeps the rest as it stands', () => {
    const text = `A=1\nexport API_TOKEN='x\ny'\n\n# note\nURL=https://me:pw@host/\nB="two\nlines"\n`;
    expect(split(text)).toEqual({
      plain: `A=1\n# API_TOKEN was left out\n\n# note\n# URL was left out\nB="two\nlines"\n`,
      whole: text,
      secrets: ['API_TOKEN', 'URL'],
      ofOldHost: [],
    });
  });

  test('loses the address of the old database altogether, under whatever name', () => {
    const found = split('DATABASE_URL=postgres://a\nOTHER="postgres://a:b@c/d"\n', 'postgres://a:b@c/d');
    expect(found.ofOldHost).toEqual(['DATABASE_URL', 'OTHER']);
    expect(found.whole).not.toContain('postgres://');
    expect(found.secrets).toEqual([]);
  });

  test.each([
    ['a secret in a comment', '# DB_PASSWORD=old', 'old'],
    ['a private key', 'CERT="-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"', 'abc'],
    ['a quote that never ends', 'TOKEN="abc', 'abc'],
  ])('%s does not stay readable', (_, text, secret) => {
    expect(split(text).plain).not.toContain(secret);
    expect(split(text).secrets).toHaveLength(1);
  });

  test('whatever it holds: no value of a secret is in the readable part, and the whole is what it was', () => {
    const name = fc.constantFrom('A', 'PORT', 'MY_SECRET', 'TOKEN', 'B_PASSWORD');
    const value = fc.stringMatching(/^[a-z]{12}(\n[a-z]{12})?$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (entries) => {
        const text = entries.map(([key, content]) => `${key}="${content}"`).join('\n');
        const { plain, whole } = split(text);
        expect(whole).toBe(text);
        for (const [key, content] of entries) {
          const isSecret = !['A', 'PORT'].includes(key);
          for (const line of content.split('\n')) expect(plain.includes(line)).toBe(!isSecret);
        }
        const before = parseEnv(text);
        const after = parseEnv(plain);
        for (const key of ['A', 'PORT']) expect(after[key]).toBe(before[key]);
      }),
    );
  });
});
