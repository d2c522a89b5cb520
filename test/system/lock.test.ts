import { spawnSync } from 'node:child_process';
import {
  chownSync,
  linkSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readLockHolder, takeLock, takeLockInTurn } from '../../src/system/lock.ts';
import { startChild, useChildren } from '../support/children.ts';

useChildren();

const holdsLock = join(import.meta.dirname, '../programs/holds-lock.ts');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a lock is refused to everybody else until it is released', () => {
  const path = join(folder, 'lock');
  const lock = takeLock(path);
  expect(lock).toBeDefined();
  expect(takeLock(path)).toBeUndefined();
  expect(readLockHolder(path)).toBe(process.pid);
  lock?.release();
  lock?.release();
  const again = takeLock(path);
  expect(again).toBeDefined();
  again?.release();
});

test('a lock of another process holds, and is free after kill -9', async () => {
  const path = join(folder, 'lock');
  const holder = startChild([process.execPath, holdsLock, path]);
  await holder.printed('taken');
  expect(takeLock(path)).toBeUndefined();
  expect(readLockHolder(path)).toBe(holder.process?.pid);
  holder.process?.signal('SIGKILL', 'leader');
  await holder.exited;
  const lock = takeLock(path);
  expect(lock).toBeDefined();
  lock?.release();
});

test('a child does not keep the lock of its parent', async () => {
  const path = join(folder, 'lock');
  const lock = takeLock(path);
  const child = startChild(['sh', '-c', 'echo started; sleep 1000']);
  await child.printed('started');
  lock?.release();
  const again = takeLock(path);
  expect(again).toBeDefined();
  again?.release();
});

test('a link in the place of the lock is refused', () => {
  const target = join(folder, 'target');
  symlinkSync(target, join(folder, 'lock'));
  expect(() => takeLock(join(folder, 'lock'))).toThrow(/ELOOP/);
  expect(() => readFileSync(target)).toThrow(/ENOENT/);
});

test.runIf(process.geteuid?.() === 0)(
  'taken in turn it becomes the folder owner’s, and no other file of root’s does',
  () => {
    chownSync(folder, 65_534, 65_534);
    const path = join(folder, 'turn');
    takeLockInTurn(path)?.release();
    expect(statSync(path).uid).toBe(65_534);
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'of root');
    linkSync(secret, join(folder, 'bait'));
    expect(() => takeLockInTurn(join(folder, 'bait'))).toThrow(/it is no plain file of one name/);
    expect(statSync(secret).uid).toBe(0);
  },
);

test.runIf(spawnSync('which', ['flock']).status === 0)('the lock is the one that flock(1) knows', () => {
  const path = join(folder, 'lock');
  const lock = takeLock(path);
  expect(spawnSync('flock', ['-n', path, 'true']).status).toBe(1);
  lock?.release();
  expect(spawnSync('flock', ['-n', path, 'true']).status).toBe(0);
});
