import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSameSecret } from '../../../src/supervisor/control/same-secret.ts';

it('two secrets are the same when every letter is', () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 1 }), (given, secret) => {
      expect(isSameSecret(given, secret)).toBe(given === secret);
      expect(isSameSecret(secret, secret)).toBe(true);
      expect(isSameSecret(secret + secret, secret)).toBe(false);
    }),
  );
});

it('an empty secret is the same as nothing, so that an empty token opens no door', () => {
  expect(isSameSecret('', '')).toBe(false);
  expect(isSameSecret('x', '')).toBe(false);
});
