import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { behavioursPage, readProofs } from './behaviours.ts';
import { LAWS } from './cases.ts';

describe('the page of laws', () => {
  test('says what the tests say: `npm run behaviours` writes it', () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'behaviours.md'), 'utf8');
    expect(page).toBe(behavioursPage());
  });

  test('has every case, numbered without a gap, proven by a test or argued in a line', () => {
    expect(LAWS.map(({ number }) => number)).toEqual(LAWS.map((_, index) => index + 1));
    const proofs = readProofs();
    const open = LAWS.filter(
      ({ number, argued }) => argued === undefined && (proofs.get(number) ?? []).length === 0,
    );
    expect(open.map(({ number, sentence }) => `${number}: ${sentence}`)).toEqual([]);
  });
});
