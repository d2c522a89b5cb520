import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ConfigTaken, readConfig, takeConfig } from '../../src/backups/config/config-backup.ts';
import { leaveOutSecrets } from '../../src/backups/config/leave-out-secrets.ts';
import { decryptBackup, encryptBackup } from '../../src/backups/encrypt-backup.ts';
import { shelveBytes } from '../support/shelved.ts';

const signal = new AbortController().signal;
const SECRET = 'correct-horse-battery';
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bulkhead-config-'));
  mkdirSync(join(root, 'config', 'postgresql.d'), { recursive: true });
  mkdirSync(join(root, 'secrets'));
  mkdirSync(join(root, 'stage'));
  writeFileSync(
    join(root, 'config', 'app.env'),
    `PORT=3000\nAPI_KEY=${SECRET}\nURL=postgres://u:${SECRET}@h/db\n`,
  );
  writeFileSync(join(root, 'config', 'server.key'), SECRET);
  writeFileSync(join(root, 'config', 'postgresql.d', 'own.conf'), 'work_mem = 8MB\n');
  writeFileSync(join(root, 'secrets', 'token'), SECRET);
  writeFileSync(join(root, 'plan.yaml'), 'version: 1\nname: shop\n');
  symlinkSync(join(root, 'plan.yaml'), join(root, 'config', 'link'));
  chmodSync(join(root, 'config', 'app.env'), 0o600);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function take(withSecrets: boolean): Promise<ConfigTaken> {
  const sources = [join(root, 'config'), join(root, 'plan.yaml'), join(root, 'nowhere')];
  return takeConfig({
    sources,
    secrets: join(root, 'secrets'),
    withSecrets,
    stage: join(root, 'stage'),
    signal,
  });
}

/** By the plain tools. */
function unpack(file: string): string {
  const folder = join(root, 'unpacked');
  mkdirSync(folder);
  execFileSync('sh', ['-c', `zstd -dcq '${file}' | tar -xf - -C '${folder}'`]);
  return folder;
}

function holds(folder: string, text: string): boolean {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).some(
    (entry) => entry.isFile() && readFileSync(join(entry.parentPath, entry.name)).includes(text),
  );
}

describe('a backup of configuration', () => {
  test('leaves secrets out, says which in it, and is read by plain tools', async () => {
    const taken = await take(false);
    const own = root.slice(1);
    expect(taken.leftOut).toEqual([
      `${own}/config/app.env: line 2`,
      `${own}/config/app.env: line 3`,
      `${own}/config/server.key: the whole file: its name is that of a secret`,
      `${own}/secrets: the whole folder`,
    ]);
    const file = join(root, 'stage', taken.file);
    expect(await readConfig(file, undefined)).toBeGreaterThan(6);
    const folder = unpack(file);
    expect(holds(folder, SECRET)).toBe(false);
    const env = readFileSync(join(folder, own, 'config', 'app.env'), 'utf8');
    expect(env).toMatch(/^PORT=3000\nAPI_KEY=\*+\nURL=postgres:\/\/u:\*+@h\/db\n$/);
    expect(readFileSync(join(folder, own, 'plan.yaml'), 'utf8')).toContain('name: shop');
    for (const what of taken.leftOut)
      expect(readFileSync(join(folder, 'LEFT-OUT.txt'), 'utf8')).toContain(what);
  });

  test('that is to be encrypted has everything', async () => {
    const taken = await take(true);
    expect(taken.leftOut).toEqual([]);
    const folder = unpack(join(root, 'stage', taken.file));
    expect(readFileSync(join(folder, root, 'secrets', 'token'), 'utf8')).toBe(SECRET);
    expect(readFileSync(join(folder, root, 'config', 'app.env'), 'utf8')).toContain(SECRET);
  });

  test('cut off, it is told', async () => {
    const { file } = await take(false);
    truncateSync(join(root, 'stage', file), 200);
    await expect(readConfig(join(root, 'stage', file), undefined)).rejects.toThrow();
  });
});

describe('what is left out of a file', () => {
  test.each([
    ['app.env', 'A=1\nDB_PASSWORD=abc\n', ['line 2']],
    ['plan.yaml', 'token: |\n  abc\n  def\n', ['the whole file: line 1 begins a secret of several lines']],
    ['plan.yaml', 'password: "abc\n  def"\n', ['the whole file: line 1 begins a secret of several lines']],
    [
      'plan.yaml',
      'secrets:\n  one: { file: /x }\n',
      ['the whole file: line 1 begins a secret of several lines'],
    ],
    ['x.pem', 'anything', ['the whole file: its name is that of a secret']],
    ['app_password', 'anything', ['the whole file: its name is that of a secret']],
    ['notes.txt', '-----BEGIN RSA PRIVATE KEY-----', ['the whole file: it holds a private key']],
    ['x.bin', 'a\0b', ['the whole file: it is no text']],
    ['plan.yaml', 'password: ${DB_PASSWORD}\nname: shop\n', []],
    ['plan.yaml', 'port: 1 # the password is asked for\n', []],
  ])('%s %j', (name, text, leftOut) => {
    const cleaned = leaveOutSecrets(name, Buffer.from(text));
    expect(cleaned.leftOut).toEqual(leftOut);
    if (leftOut.length === 0) expect(cleaned.content?.toString()).toBe(text);
  });
});

describe('a dump that is encrypted', () => {
  test('takes the place of the plain one with its verification, and only its identity opens it', async () => {
    const identity = await generateIdentity();
    const recipients = [await identityToRecipient(identity)];
    const content = Buffer.from(`the dump with ${SECRET}`);
    const plain = shelveBytes(
      'dump',
      { 'shop.dump': content, 'globals.sql': Buffer.from('roles') },
      { root, at: new Date() },
    );
    const sealed = await encryptBackup(plain, recipients, signal);
    expect(sealed.manifest).toMatchObject({
      id: plain.id,
      recipients,
      files: [{ path: 'globals.sql.age' }, { path: 'shop.dump.age' }],
    });
    expect(sealed.verified).toMatchObject({ level: 'restored', ok: true });
    expect(readdirSync(join(root, 'dump'))).toEqual([plain.id]);
    expect(holds(join(root, 'dump'), SECRET)).toBe(false);

    const into = join(root, 'opened');
    await expect(decryptBackup(sealed, undefined, into, signal)).rejects.toThrow('it is encrypted');
    const opened = await decryptBackup(sealed, `# mine\n${identity}\n`, into, signal);
    expect(opened.manifest).toMatchObject({ files: expect.arrayContaining([...plain.manifest.files]) });
    expect(readFileSync(join(opened.folder, 'shop.dump')).equals(content)).toBe(true);
    await expect(decryptBackup(sealed, await generateIdentity(), `${into}-2`, signal)).rejects.toThrow(
      'is not one it was encrypted to',
    );
  });
});
