import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../../src/base/errors.ts';
import { AppendFile } from '../../src/system/append-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-append-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function append(file: AppendFile, text: string): Promise<{ error: Error | undefined; written: number }> {
  return new Promise((resolve) =>
    file.append(Buffer.from(text), (error, written) => resolve({ error, written })),
  );
}

describe('a file that only grows', () => {
  it('is made with its folder at the first byte, not readable for everybody', async () => {
    const path = join(folder, 'logs', 'app.log');
    const file = new AppendFile(path);
    expect(existsSync(path)).toBe(false);
    expect(await append(file, 'one\n')).toEqual({ error: undefined, written: 4 });
    await append(file, 'two\n');
    await file.release();
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
    expect(statSync(path).mode & 0o007).toBe(0);
  });

  it('keeps the order of calls that did not wait for one another', async () => {
    const path = join(folder, 'app.log');
    const file = new AppendFile(path);
    const numbers = Array.from({ length: 200 }, (_, index) => index);
    await Promise.all(numbers.map((number) => append(file, `${number}\n`)));
    await file.release();
    expect(readFileSync(path, 'utf8')).toBe(numbers.map((number) => `${number}\n`).join(''));
  });

  it('is opened anew by its path after a release: what was moved away stays as it is', async () => {
    const path = join(folder, 'app.log');
    const file = new AppendFile(path);
    await append(file, 'one\n');
    renameSync(path, `${path}.1`);
    await append(file, 'two\n');
    await file.release();
    await append(file, 'three\n');
    await file.release();
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('one\ntwo\n');
    expect(readFileSync(path, 'utf8')).toBe('three\n');
  });

  it('is never written through a link somebody planted', async () => {
    const target = join(folder, 'precious');
    writeFileSync(target, 'precious');
    symlinkSync(target, join(folder, 'app.log'));
    const { error } = await append(new AppendFile(join(folder, 'app.log')), 'x');
    expect(codeOf(error)).toBe('ELOOP');
    expect(readFileSync(target, 'utf8')).toBe('precious');
  });

  it('does not wait for the reader of a FIFO somebody planted', async () => {
    execFileSync('mkfifo', [join(folder, 'app.log')]);
    const { error } = await append(new AppendFile(join(folder, 'app.log')), 'x');
    expect(codeOf(error)).toBe('ENXIO');
  });

  it('tells why its folder cannot be made, and tries again at the next call', async () => {
    writeFileSync(join(folder, 'logs'), 'a file in the way');
    const file = new AppendFile(join(folder, 'logs', 'app.log'));
    expect(codeOf((await append(file, 'x')).error)).toBe('ENOTDIR');
    rmSync(join(folder, 'logs'));
    expect((await append(file, 'x')).error).toBeUndefined();
    await file.release();
  });

  it.skipIf(!canMount())('on a full disk says how much has made it (needs the right to mount)', async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]);
    try {
      const file = new AppendFile(join(folder, 'app.log'));
      const { error, written } = await append(file, 'x'.repeat(100_000));
      expect(codeOf(error)).toBe('ENOSPC');
      expect(written).toBe(statSync(join(folder, 'app.log')).size);
      expect(written).toBeGreaterThan(0);
      await file.release();
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});

function canMount(): boolean {
  const probe = mkdtempSync(join(tmpdir(), 'bulkhead-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', probe], { stdio: 'ignore' });
    execFileSync('umount', [probe], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}
