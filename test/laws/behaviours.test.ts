import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DATABASE_CASES } from '../database/cases.ts';
import { behavioursPage, readProofs } from './behaviours.ts';
import { LAWS } from './cases.ts';

const root = join(import.meta.dirname, '..', '..');

describe('the page of laws', () => {
  test('says what the tests say: `npm run behaviours` writes it', () => {
    const page = readFileSync(join(root, 'docs', 'behaviours.md'), 'utf8');
    expect(page).toBe(behavioursPage());
  });

  test('has every law, numbered without a gap, proven by a test or argued in a line', () => {
    expect(LAWS.map(({ number }) => number)).toEqual(LAWS.map((_, index) => index + 1));
    const proofs = readProofs('law');
    const open = LAWS.filter(
      ({ number, argued }) => argued === undefined && (proofs.get(number) ?? []).length === 0,
    );
    expect(open.map(({ number, sentence }) => `${number}: ${sentence}`)).toEqual([]);
  });

  test('has every case of the database, numbered without a gap; what shows it is there', () => {
    expect(DATABASE_CASES.map(({ number }) => number)).toEqual(DATABASE_CASES.map((_, index) => index + 1));
    const missing = DATABASE_CASES.flatMap(({ shownBy = [] }) => shownBy).filter(
      (file) => !existsSync(join(root, file)),
    );
    expect(missing).toEqual([]);
  });
});
