import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, describe, expect, test } from 'vitest';
import { type Bytes, decrypt, encrypt } from '../../src/archives/age.ts';
import { createEntryPaths } from '../../src/archives/entry-path.ts';
import { readTar, type TarEntry } from '../../src/archives/read-tar.ts';
import { openTarWriter } from '../../src/archives/write-tar.ts';

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-archives-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function collect(source: Bytes): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function* pieces(content: Uint8Array, size = 10_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

const base = { mode: 0o640, uid: 0, gid: 0, mtime: new Date('2026-01-02T03:04:05Z') };

async function pack(entries: readonly (TarEntry & { readonly content?: Buffer })[]): Promise<Buffer> {
  const writer = openTarWriter();
  const archive = collect(writer.archive);
  archive.catch(() => undefined);
  for (const { content, ...entry } of entries) await writer.add(entry, content && pieces(content));
  writer.finish();
  return archive;
}

const content = Buffer.alloc(300_000, 'abcdefg');
const LONG = `folder/${'ü'.repeat(90)}/${'x'.repeat(120)}.png`;

describe('tar', () => {
  test('what is packed comes out, and tar(1) reads the same', async () => {
    const archive = await pack([
      { ...base, path: 'folder', kind: 'directory', size: 0, mode: 0o750 },
      { ...base, path: LONG, kind: 'file', size: content.length, content },
      { ...base, path: 'folder/link', kind: 'symlink', size: 0, target: '../elsewhere' },
      { ...base, path: 'empty', kind: 'file', size: 0 },
    ]);
    const found: [string, string, number][] = [];
    for await (const item of readTar(pieces(archive), 'a.tar')) {
      found.push([item.path, item.kind, (await collect(item.body)).length]);
    }
    expect(found).toEqual([
      ['folder', 'directory', 0],
      [LONG, 'file', 300_000],
      ['folder/link', 'symlink', 0],
      ['empty', 'file', 0],
    ]);
    writeFileSync(join(folder, 'a.tar'), archive);
    const listed = execFileSync('tar', ['-tf', join(folder, 'a.tar'), '--quoting-style=literal'], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    expect(listed.trim().split('\n')).toEqual(['folder/', LONG, 'folder/link', 'empty']);
  });

  test('what tar(1) writes is read, in whatever pieces it comes', async () => {
    const source = join(folder, 'source');
    const long = `${'x'.repeat(120)}/${'ü'.repeat(60)}`;
    mkdirSync(join(source, long), { recursive: true });
    writeFileSync(join(source, long, 'a'), content);
    writeFileSync(join(source, 'b'), '');
    symlinkSync('b', join(source, 'c'));
    for (const format of ['ustar', 'pax', 'gnu']) {
      const names = format === 'ustar' ? ['b', 'c'] : ['.'];
      execFileSync('tar', [`--format=${format}`, '-cf', join(folder, 'theirs.tar'), '-C', source, ...names], {
        stdio: 'ignore',
      });
      const archive = readFileSync(join(folder, 'theirs.tar'));
      for (const size of [1, 511, 512, 4096, archive.length]) {
        const found = new Map<string, TarEntry & { readonly length: number }>();
        for await (const { body, ...item } of readTar(pieces(archive, size), 'theirs.tar'))
          found.set(item.path.replace(/^\.\//, ''), { ...item, length: (await collect(body)).length });
        expect(found.get('b')).toMatchObject({ kind: 'file', length: 0 });
        expect(found.get('c')).toMatchObject({ kind: 'symlink', target: 'b' });
        if (format !== 'ustar') expect(found.get(`${long}/a`)).toMatchObject({ length: content.length });
      }
    }
  });

  test('what is not read of a body is passed over, and the memory of the source may be used again', async () => {
    const archive = await pack([
      { ...base, path: 'one', kind: 'file', size: content.length, content },
      { ...base, path: 'two', kind: 'file', size: content.length, content },
    ]);
    async function* reused(): AsyncGenerator<Uint8Array> {
      const rooms = [Buffer.alloc(7000), Buffer.alloc(7000)];
      for (let at = 0; at < archive.length; at += 7000) {
        const room = rooms[(at / 7000) % 2] ?? Buffer.alloc(0);
        yield room.subarray(0, archive.copy(room, 0, at, at + 7000));
      }
    }
    const bodies: Buffer[] = [];
    for await (const { path, body } of readTar(reused(), 'a.tar')) {
      if (path === 'two') bodies.push(await collect(body));
      else for await (const _ of body) break;
    }
    expect(bodies.map((body) => body.equals(content))).toEqual([true]);
  });

  test('a changed byte of a header, and what follows the end, are told', async () => {
    const archive = await pack([{ ...base, path: 'one', kind: 'file', size: content.length, content }]);
    const changed = Buffer.from(archive);
    changed[3] = 0x41;
    for (const bad of [changed, Buffer.concat([archive, Buffer.from('more')])]) {
      const read = async (): Promise<void> => {
        for await (const item of readTar(pieces(bad), 'a.tar')) await collect(item.body);
      };
      await expect(read()).rejects.toThrow(/cannot read a.tar: it is cut off, damaged/);
    }
  });

  test('every cut is told', async () => {
    const archive = await pack([
      { ...base, path: 'one', kind: 'file', size: content.length, content },
      { ...base, path: 'two', kind: 'file', size: content.length, content },
    ]);
    for (const length of [0, 100, 512, 5000, 300_800, 301_056, archive.length - 1024]) {
      const read = async (): Promise<void> => {
        for await (const item of readTar(pieces(archive.subarray(0, length)), 'a.tar'))
          await collect(item.body);
      };
      await expect(read(), `cut at ${length}`).rejects.toThrow(/cannot read a.tar: it is cut off/);
    }
  });

  test('a body of another size than was said is refused', async () => {
    await expect(
      pack([{ ...base, path: 'one', kind: 'file', size: 10, content: Buffer.from('abc') }]),
    ).rejects.toThrow();
  });
});

describe('names in an archive', () => {
  test.each([
    ['/etc/passwd', 'is absolute'],
    ['../up', 'climbs out'],
    ['a/../../up', 'climbs out'],
    ['a//b', 'no plain path'],
    ['./a', 'no plain path'],
    ['a\0b', 'no plain path'],
    ['nowhere/file', 'lies in a folder that is not in it'],
    ['link/file', 'lies in a symlink'],
    ['file', 'comes twice'],
  ])('%j is refused', (path, why) => {
    const names = createEntryPaths('a.tar');
    names.check('file', 'file');
    names.check('link', 'symlink');
    expect(() => names.check(path, 'file')).toThrow(why);
  });
});

describe('age', async () => {
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);

  test('what is encrypted to a recipient is read with its identity alone', async () => {
    const file = await collect(encrypt(pieces(content), { recipients: [recipient] }));
    expect(file.includes('abcdefgabcdefg')).toBe(false);
    const text = `# created: today\n# public key: ${recipient}\n${identity}\n`;
    expect((await collect(decrypt(pieces(file), { identity: text }, 'x'))).equals(content)).toBe(true);
    const other = { identity: await generateIdentity() };
    await expect(collect(decrypt(pieces(file), other, 'x.age'))).rejects.toThrow(
      'cannot decrypt x.age: the identity is not one it was encrypted to',
    );
    await expect(collect(decrypt(pieces(file), { identity: 'hello' }, 'x'))).rejects.toThrow(
      'no line AGE-SECRET-KEY',
    );
  });

  test('a passphrase', async () => {
    const file = await collect(encrypt(pieces(content), { passphrase: 'correct horse' }));
    const right = decrypt(pieces(file), { passphrase: 'correct horse' }, 'x');
    expect((await collect(right)).equals(content)).toBe(true);
  });

  test('a cut or a changed byte is told, a source that fails ends it, and a bad recipient is named', async () => {
    const file = await collect(encrypt(pieces(content), { recipients: [recipient] }));
    const changed = Buffer.from(file);
    changed[200_000] = (changed[200_000] ?? 0) ^ 1;
    for (const bad of [file.subarray(0, 200_000), file.subarray(0, 30), changed, Buffer.from('hello')]) {
      await expect(collect(decrypt(pieces(bad), { identity }, 'x'))).rejects.toThrow(
        /cannot decrypt x: it is damaged/,
      );
    }
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield content;
      throw new Error('the disk is gone');
    }
    await expect(collect(encrypt(failing(), { recipients: [recipient] }))).rejects.toThrow(
      'the disk is gone',
    );
    await expect(collect(encrypt(pieces(content), { recipients: ['age1nonsense'] }))).rejects.toThrow(
      'cannot encrypt to age1nonsense',
    );
  });
});
