import { expect, test } from 'vitest';
import { fillText } from '../../src/supervisor/late-values.ts';

const source = {
  database: undefined,
  readSecret: () => undefined,
  ensureSecret: (name: string) => `made-${name}`,
};

test('a secret nobody gave is made when it is first asked for', () => {
  expect(fillText({ parts: ['<', { late: 'NEXTAUTH_SECRET' }, '>'] }, source)).toBe('<made-nextauth_secret>');
});

test('an address of a database whose password does not exist yet is refused with the way out', () => {
  expect(() => fillText({ parts: [{ late: 'DATABASE_URL' }] }, source)).toThrow(/DATABASE_URL.*first boot/);
});
