import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSame, isSession, makeSession, readKeys, SESSION_SECONDS } from '../lib/session.ts';

const keys = { password: 'correct horse', secret: 'battery staple' };
const now = Date.UTC(2026, 0, 1);
const cookie = makeSession(keys, now);

test('the admin is off until both secrets are there', () => {
  assert.equal(readKeys({}), null);
  assert.equal(readKeys({ ADMIN_PASSWORD: 'a' }), null);
  assert.equal(readKeys({ ADMIN_PASSWORD: '', NEXTAUTH_SECRET: 'b' }), null);
  assert.deepEqual(readKeys({ ADMIN_PASSWORD: 'a', NEXTAUTH_SECRET: 'b' }), { password: 'a', secret: 'b' });
});

test('a session is good until it ends', () => {
  assert.equal(isSession(cookie, keys, now), true);
  assert.equal(isSession(cookie, keys, now + SESSION_SECONDS * 1000 - 1), true);
  assert.equal(isSession(cookie, keys, now + SESSION_SECONDS * 1000), false);
});

test('a new password or secret ends every session', () => {
  assert.equal(isSession(cookie, { ...keys, password: 'other' }, now), false);
  assert.equal(isSession(cookie, { ...keys, secret: 'other' }, now), false);
});

test('a changed cookie is no session', () => {
  const [expires, signature = ''] = cookie.split('.');
  const forged = [
    undefined,
    '',
    '.',
    `${Number(expires) + 1}.${signature}`,
    `${expires}.${signature.slice(0, -1)}`,
    `${expires}.${signature}x`,
    `${expires}.${[...signature].reverse().join('')}`,
    `0${cookie}`.slice(0, 5),
  ];
  for (const value of forged) assert.equal(isSession(value, keys, now), false, String(value));
});

test('texts are the same only when they are', () => {
  assert.equal(isSame('é', 'é'), true);
  assert.equal(isSame('', ''), true);
  assert.equal(isSame('a', 'A'), false);
  assert.equal(isSame('a', 'aa'), false);
});
