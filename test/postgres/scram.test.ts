import { expect, test } from 'vitest';
import { matchesVerifier, scramVerifier } from '../../src/postgres/scram.ts';

test('the verifier is the one of the standard', () => {
  // The example of RFC 7677, section 3, in the form PostgreSQL keeps it.
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  expect(scramVerifier('pencil', salt, 4096)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});

test('a password matches its own verifier and no other', () => {
  const verifier = scramVerifier('pässword ½');
  expect(matchesVerifier('pässword ½', verifier)).toBe(true);
  expect(matchesVerifier('pa\u0308ssword 1\u20442', verifier)).toBe(true);
  expect(matchesVerifier('password', verifier)).toBe(false);
  expect(matchesVerifier('password', 'md5abc')).toBe(false);
});
