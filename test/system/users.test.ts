import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Failure } from '../../src/base/errors.ts';
import { currentIdentity, findIdentity } from '../../src/system/users.ts';

const groupLine = readFileSync('/etc/group', 'utf8')
  .split('\n')
  .map((line) => line.split(':'))
  .find(([, , , members]) => members !== undefined && members !== '');

test('a name is found with its home and shell', () => {
  expect(findIdentity('root')).toMatchObject({ uid: 0, gid: 0, name: 'root', home: '/root' });
  expect(findIdentity('daemon').uid).toBe(1);
});

test('a number is the user of that number, and needs no entry', () => {
  expect(findIdentity('0')).toMatchObject({ uid: 0, name: 'root' });
  expect(findIdentity('54321')).toEqual({
    uid: 54321,
    gid: 0,
    groups: [],
    name: '54321',
    home: '/',
    shell: '/bin/sh',
  });
  expect(findIdentity('54321:43210')).toMatchObject({ uid: 54321, gid: 43210 });
});

test('a group that is named replaces all groups of the user', () => {
  expect(findIdentity('root:daemon')).toMatchObject({ uid: 0, gid: 1, groups: [] });
});

test.runIf(groupLine)('a user has the groups that list it as a member', () => {
  const member = groupLine?.[3]?.split(',')[0] ?? '';
  expect(findIdentity(member).groups).toContain(Number(groupLine?.[2]));
});

test.each([
  ['no-such-user', 'cannot find user "no-such-user"'],
  ['', 'cannot find user ""'],
  ['-1', 'cannot find user "-1"'],
  ['root:no-such-group', 'cannot find group "no-such-group"'],
])('the name "%s" that nobody knows ends with exit code 13', (user, message) => {
  let error: unknown;
  try {
    findIdentity(user);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(Failure);
  expect(error).toMatchObject({ exitCode: 13, message: expect.stringContaining(message) });
});

test('we are who the system says', () => {
  expect(currentIdentity()).toMatchObject({ uid: process.getuid?.(), gid: process.getgid?.() });
});
