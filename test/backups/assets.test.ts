import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listBlobs } from '../../src/backups/assets/blobs.ts';
import { sweepBlobs, verifyAssets } from '../../src/backups/assets/read-assets.ts';
import { restoreAssetsInPlace, restoreAssetsInto } from '../../src/backups/assets/restore-assets.ts';
import { swapEntries } from '../../src/backups/assets/swap-root.ts';
import { type AssetsTaken, nameRoots, takeAssets } from '../../src/backups/assets/take-assets.ts';
import { openTree, TREE_FILE, type TreeEntry } from '../../src/backups/assets/tree.ts';
import { holdExactly } from '../../src/system/held-folder.ts';

const signal = new AbortController().signal;
let root: string;
let assets: string;
let blobs: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bulkhead-assets-'));
  assets = join(root, 'assets');
  blobs = join(root, 'backups', 'assets', 'blobs');
  mkdirSync(join(assets, 'logos', 'deep'), { recursive: true });
  mkdirSync(join(assets, 'empty'), { mode: 0o710 });
  write('logos/a.png', 'one');
  write('logos/deep/b.png', 'two');
  write('logos-of-others.txt', 'three');
  write('same.png', 'one');
  write('large.bin', 'x'.repeat(3_000_000));
  symlinkSync('/etc', join(assets, 'out'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** As if it had been there for a while. */
function write(name: string, content: string): void {
  writeFileSync(join(assets, name), content);
}

let count = 0;
async function take(previous?: string, roots = [assets]): Promise<AssetsTaken & { readonly tree: string }> {
  count += 1;
  const stage = join(root, `stage-${count}`);
  mkdirSync(stage);
  const taken = await takeAssets({ roots, blobs, stage, previous, signal });
  expect(readdirSync(stage)).toEqual([TREE_FILE]);
  return { ...taken, tree: join(stage, TREE_FILE) };
}

async function entriesOf(tree: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  for await (const entry of await openTree(tree)) entries.push(entry);
  return entries;
}

/** The mode, owner, time and content of everything below. */
function describeFolder(folder: string): string {
  return execFileSync(
    'sh',
    [
      '-c',
      `find . -printf '%p %y %m %U %G %l %T@\\n' | sed -E 's,([0-9]+\\.[0-9]{3})[0-9]*$,\\1,' | sort; find . -type f | sort | xargs sha256sum`,
    ],
    { cwd: folder, encoding: 'utf8' },
  );
}

/** Beyond the second within which a change might not show. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1100));
}

describe('a backup of assets', () => {
  test('keeps each content once, and a tree of everything', async () => {
    const taken = await take();
    expect(taken).toMatchObject({ files: 5, read: 5, added: 4, skipped: [], torn: [] });
    expect([...listBlobs(blobs)]).toHaveLength(4);
    const entries = await entriesOf(taken.tree);
    expect(entries.map(({ path, type }) => `${path} ${type}`)).toEqual([
      'assets folder',
      'assets/empty folder',
      'assets/large.bin file',
      'assets/logos folder',
      'assets/logos/a.png file',
      'assets/logos/deep folder',
      'assets/logos/deep/b.png file',
      'assets/logos-of-others.txt file',
      'assets/out link',
      'assets/same.png file',
    ]);
    expect(await verifyAssets(taken.tree, blobs, { signal })).toMatchObject({ files: 5, problems: [] });
  });

  test('reads again only what has changed, and writes only what is new', async () => {
    await settle();
    const first = await take();
    expect(await take(first.tree)).toMatchObject({ files: 5, read: 0, added: 0, bytes: first.bytes });
    write('logos/c.png', 'new');
    rmSync(join(assets, 'same.png'));
    // The same size and time: what tells it is when the inode was changed.
    const { mtime } = statSync(join(assets, 'logos/a.png'));
    write('logos/a.png', 'ONE');
    utimesSync(join(assets, 'logos/a.png'), mtime, mtime);
    const second = await take(first.tree);
    expect(second).toMatchObject({ files: 5, read: 2, added: 2, addedBytes: 6 });
    expect(await take(undefined)).toMatchObject({ files: 5, read: 5, added: 0 });
    expect(await verifyAssets(second.tree, blobs, { signal })).toMatchObject({ problems: [] });
  });

  test('reads what changed within the second before the last backup, and what its blob is missing for', async () => {
    const first = await take();
    expect((await take(first.tree)).read).toBe(5);
    await settle();
    const second = await take(first.tree);
    rmSync(blobs, { recursive: true });
    expect(await take(second.tree)).toMatchObject({ read: 4, added: 4 });
  });

  test('passes over what is no file, by name, and never follows a link', async () => {
    execFileSync('mkfifo', [join(assets, 'pipe')]);
    writeFileSync(Buffer.concat([Buffer.from(`${assets}/`), Buffer.from([0xff, 0x41])]), 'x');
    const taken = await take();
    expect(taken.skipped).toEqual(['assets/pipe (a pipe)', 'assets/\ufffdA (a name that is not UTF-8)']);
    expect(taken.files).toBe(5);
  });

  test('a folder that is not there is empty, a link to one is refused, roots of one name get two', async () => {
    expect(await take(undefined, [join(root, 'nowhere')])).toMatchObject({ files: 0, added: 0 });
    symlinkSync(assets, join(root, 'link'));
    await expect(
      takeAssets({ roots: [join(root, 'link')], blobs, stage: root, previous: undefined, signal }),
    ).rejects.toThrow('it is no folder');
    expect(nameRoots(['/a/assets', '/b/assets', '/'])).toEqual({
      assets: '/a/assets',
      'assets-2': '/b/assets',
      root: '/',
    });
  });

  test('a file that grows while it is read is taken again, and named where it never rests', async () => {
    let rounds = 0;
    // Each progress of a large file is a chance to change it.
    const timer = setInterval(() => {
      rounds += 1;
      appendFileSync(join(assets, 'large.bin'), 'more');
    }, 0);
    const taken = await take();
    clearInterval(timer);
    expect(rounds).toBeGreaterThan(0);
    expect(taken.torn).toEqual(['assets/large.bin']);
    // What was kept is whole as a content, and read anew the next time.
    expect(await verifyAssets(taken.tree, blobs, { signal })).toMatchObject({ problems: [] });
    await settle();
    expect((await take(taken.tree)).torn).toEqual([]);
  });

  test('asked to stop it leaves the blobs of before, and none of its own', async () => {
    await take();
    const before = [...listBlobs(blobs)];
    for (let index = 0; index < 500; index += 1) write(`many-${index}`, String(index));
    const stop = new AbortController();
    const stage = join(root, 'stopped');
    mkdirSync(stage);
    const onProgress = (): void => stop.abort();
    await expect(
      takeAssets({ roots: [assets], blobs, stage, previous: undefined, signal: stop.signal, onProgress }),
    ).rejects.toThrow();
    expect([...listBlobs(blobs)]).toEqual(before);
  });
});

describe('its verification', () => {
  test('tells what is missing, cut or damaged, and a tree that is', async () => {
    const { tree } = await take();
    const blobOf = async (path: string): Promise<string> => {
      const entry = (await entriesOf(tree)).find((each) => each.path === path);
      const sha256 = entry?.type === 'file' ? entry.sha256 : '';
      return join(blobs, sha256.slice(0, 2), sha256);
    };
    writeFileSync(await blobOf('assets/logos/deep/b.png'), 'tw0');
    truncateSync(await blobOf('assets/large.bin'), 2_000_000);
    rmSync(await blobOf('assets/logos-of-others.txt'));
    expect((await verifyAssets(tree, blobs, { signal })).problems).toEqual([
      'the content of assets/large.bin has 2000000 bytes instead of 3000000',
      'the content of assets/logos/deep/b.png is damaged',
      'the content of assets/logos-of-others.txt is missing',
    ]);
    truncateSync(tree, statSync(tree).size - 20);
    expect((await verifyAssets(tree, blobs, { signal })).problems.join()).toContain('damaged or cut off');
    await expect(restoreAssetsInto(join(root, 'r'), { id: 'x', tree, blobs, signal })).rejects.toThrow();
    expect(readdirSync(root).filter((name) => name.startsWith('.') || name === 'r')).toEqual([]);
  });
});

test('a damaged content loses its name, is taken anew by the next backup, and goes with the next sweep', async () => {
  const first = await take();
  const entry = (await entriesOf(first.tree)).find((each) => each.path === 'assets/logos/deep/b.png');
  const sha256 = entry?.type === 'file' ? entry.sha256 : '';
  const blob = join(blobs, sha256.slice(0, 2), sha256);
  writeFileSync(blob, 'tw0');
  const { problems } = await verifyAssets(first.tree, blobs, { signal, setAside: true });
  expect(problems).toEqual(['the content of assets/logos/deep/b.png is damaged']);
  expect(existsSync(`${blob}.damaged`)).toBe(true);

  const second = await take(first.tree);
  expect((await verifyAssets(second.tree, blobs, { signal })).problems).toEqual([]);
  expect((await verifyAssets(first.tree, blobs, { signal })).problems).toEqual([]);
  await sweepBlobs([first.tree, second.tree], blobs);
  expect(existsSync(`${blob}.damaged`)).toBe(false);
});

describe('contents nobody needs', () => {
  test('go with the last tree that names them, never before; a tree that cannot be read keeps all', async () => {
    const first = await take();
    write('logos/a.png', 'changed');
    rmSync(join(assets, 'same.png'));
    const second = await take();
    expect([...listBlobs(blobs)]).toHaveLength(5);
    expect(await sweepBlobs([first.tree, second.tree], blobs)).toBe(0);
    truncateSync(first.tree, 40);
    await expect(sweepBlobs([first.tree, second.tree], blobs)).rejects.toThrow('damaged');
    expect([...listBlobs(blobs)]).toHaveLength(5);
    expect(await sweepBlobs([second.tree], blobs)).toBe(1);
    expect(await verifyAssets(second.tree, blobs, { signal })).toMatchObject({ problems: [] });
  });
});

describe('its restore', () => {
  test('makes everything again: contents, modes, owners, times, links', async () => {
    chmodSync(join(assets, 'logos/a.png'), 0o600);
    chmodSync(join(assets, 'logos/deep'), 0o555);
    utimesSync(join(assets, 'logos'), 1_000_000, 1_000_000.5);
    const expected = describeFolder(assets);
    const { tree } = await take();
    const target = join(root, 'restored');
    const restored = await restoreAssetsInto(target, { id: 'x', tree, blobs, signal });
    expect(restored).toMatchObject({ files: 5, replaced: [] });
    expect(describeFolder(join(target, 'assets'))).toBe(expected);
    await expect(restoreAssetsInto(target, { id: 'x', tree, blobs, signal })).rejects.toThrow(
      'there is something in it',
    );
    chmodSync(join(assets, 'logos/deep'), 0o755);
    chmodSync(join(target, 'assets/logos/deep'), 0o755);
  });

  test('changes places with what is there, which is kept', async () => {
    const expected = describeFolder(assets);
    const { tree } = await take();
    rmSync(join(assets, 'logos'), { recursive: true });
    write('later.png', 'later');
    const { replaced } = await restoreAssetsInPlace({ id: 'x', tree, blobs, signal });
    expect(describeFolder(assets)).toBe(expected);
    expect(replaced).toEqual([{ folder: assets, kept: join(root, '.before-x-assets') }]);
    expect(readFileSync(join(root, '.before-x-assets', 'later.png'), 'utf8')).toBe('later');
    // A second time: what was kept first is what people want back, and stays.
    const again = await restoreAssetsInPlace({ id: 'x', tree, blobs, signal });
    expect(again.replaced).toEqual([{ folder: assets, kept: join(root, '.before-x-assets-2') }]);
    expect(readFileSync(join(root, '.before-x-assets', 'later.png'), 'utf8')).toBe('later');
    // In a root that is a mount the kept one lies inside: no later backup has it.
    mkdirSync(join(assets, '.before-20261121T020000Z-assets-aaaaaa-assets'));
    write('.before-20261121T020000Z-assets-aaaaaa-assets/old.png', 'old');
    const backed = await take();
    rmSync(join(assets, '.before-20261121T020000Z-assets-aaaaaa-assets'), { recursive: true });
    await restoreAssetsInto(join(root, 'later'), { id: 'y', tree: backed.tree, blobs, signal });
    expect(existsSync(join(root, 'later/assets/.before-20261121T020000Z-assets-aaaaaa-assets'))).toBe(false);
    // And where there is nothing at all any more.
    rmSync(assets, { recursive: true });
    const anew = await restoreAssetsInPlace({ id: 'x', tree, blobs, signal });
    expect(anew.replaced).toEqual([{ folder: assets, kept: undefined }]);
    expect(describeFolder(assets)).toBe(expected);
    expect(lstatSync(join(assets, 'out')).isSymbolicLink() && readlinkSync(join(assets, 'out'))).toBe('/etc');
  });

  test('changes nothing where one content is damaged', async () => {
    const { tree } = await take();
    for (const sha256 of [...listBlobs(blobs)].slice(0, 1)) rmSync(join(blobs, sha256.slice(0, 2), sha256));
    const before = describeFolder(assets);
    await expect(restoreAssetsInPlace({ id: 'x', tree, blobs, signal })).rejects.toThrow('is missing');
    expect(describeFolder(assets)).toBe(before);
    expect(existsSync(join(root, '.stage-restore-x-assets'))).toBe(false);
  });

  // As a kill leaves a root that is a mount, whose entries change places one by one.
  test.each(['out', 'in'] as const)(
    'killed while files go %s: no backup takes that, the next restore finishes it',
    async (step) => {
      const { tree } = await take();
      const stage = join(assets, '.stage-restore-x-assets');
      const aside = join(assets, '.before-x-assets');
      const mark = join(assets, '.restoring-assets');
      mkdirSync(stage);
      mkdirSync(aside);
      writeFileSync(join(stage, 'new.txt'), 'new');
      writeFileSync(join(aside, 'same.png'), 'old');
      writeFileSync(
        mark,
        JSON.stringify({ step, stage: '.stage-restore-x-assets', aside: '.before-x-assets' }),
      );
      await expect(take()).rejects.toThrow('an interrupted restore');
      await restoreAssetsInPlace({ id: 'x', tree, blobs, signal });
      expect(existsSync(join(assets, '.restoring-assets'))).toBe(false);
      const finished = join(root, '.before-x-assets');
      expect(readFileSync(join(finished, 'new.txt'), 'utf8')).toBe('new');
      const old = join(finished, '.before-x-assets');
      expect(readFileSync(join(old, 'same.png'), 'utf8')).toBe('old');
      expect(existsSync(join(old, 'logos'))).toBe(step === 'out');
      await take();
    },
  );

  test('the entries of a mount change places one by one, whatever the folder is called', () => {
    const stage = join(assets, '.stage-restore-x-assets');
    mkdirSync(stage);
    writeFileSync(join(stage, 'same.png'), 'new');
    const before = readdirSync(assets).filter((name) => !name.startsWith('.'));
    const home = holdExactly(assets);
    const aside = home.at('.before-x-assets');
    swapEntries(assets, join(assets, '.restoring-assets'), home.at('.stage-restore-x-assets'), aside);
    home.close();
    expect(readdirSync(assets).sort()).toEqual(['.before-x-assets', 'same.png']);
    expect(readFileSync(join(assets, 'same.png'), 'utf8')).toBe('new');
    expect(readdirSync(join(assets, '.before-x-assets')).sort()).toEqual(before.sort());
  });

  test('an error in its midst brings everything back', () => {
    const stage = join(assets, '.stage-restore-x-assets');
    mkdirSync(join(stage, 'lost+found/a'), { recursive: true });
    mkdirSync(join(stage, 'logos'));
    mkdirSync(join(assets, 'lost+found/b'), { recursive: true });
    const before = readdirSync(assets).sort();
    const aside = join(assets, '.before-x-assets');
    expect(() => swapEntries(assets, join(assets, '.restoring-assets'), stage, aside)).toThrow('ENOTEMPTY');
    expect(readdirSync(assets).sort()).toEqual(before);
    expect(readdirSync(stage).sort()).toEqual(['logos', 'lost+found']);
    expect(existsSync(join(assets, 'logos/a.png'))).toBe(true);
  });
});
