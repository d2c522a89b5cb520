/** A restore writes with the rights of root in folders the application owns: it must not be led out of them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  fstatSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { restoreAssetsInPlace } from '../../src/backups/assets/restore-assets.ts';
import { takeAssets } from '../../src/backups/assets/take-assets.ts';
import { TREE_FILE } from '../../src/backups/assets/tree.ts';
import { takeConfig } from '../../src/backups/config/config-backup.ts';
import { type ConfigRestored, restoreConfig } from '../../src/backups/config/restore-config.ts';
import type { WholeBackup } from '../../src/backups/shelf.ts';
import { messageOf } from '../../src/base/errors.ts';

const signal = new AbortController().signal;
const isRoot = process.geteuid?.() === 0;
const SWAPS = join(import.meta.dirname, '..', 'programs', 'swaps-folder.ts');
let root: string;
let own: string;
let victim: string;
let before: string;

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'bulkhead-led-')));
  own = join(root, 'own');
  victim = join(root, 'victim');
  mkdirSync(own);
  mkdirSync(join(victim, 'deep'), { recursive: true, mode: 0o751 });
  writeFileSync(join(victim, 'theirs'), 'a secret of somebody else', { mode: 0o600 });
  before = describeVictim();
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function describeVictim(): string {
  const { mode, uid, gid, mtimeMs, ctimeMs } = statSync(victim);
  const names = readdirSync(victim, { recursive: true });
  return JSON.stringify([names, mode, uid, gid, mtimeMs, ctimeMs]);
}

describe('files of the application', () => {
  const assets = (): string => join(own, 'assets');

  async function take(): Promise<Parameters<typeof restoreAssetsInPlace>[0]> {
    mkdirSync(join(assets(), 'deep'), { recursive: true });
    for (let n = 0; n < 150; n += 1) writeFileSync(join(assets(), 'deep', `${n}.txt`), String(n));
    chmodSync(assets(), 0o700);
    const stage = join(root, 'stage');
    mkdirSync(stage);
    const blobs = join(root, 'blobs');
    await takeAssets({ roots: [assets()], blobs, stage, previous: undefined, signal });
    return { id: 'x', tree: join(stage, TREE_FILE), blobs, signal };
  }

  test('go into the folder that was made for them, whatever has its name meanwhile', async () => {
    const options = await take();
    const stage = join(own, '.stage-restore-x-assets');
    await restoreAssetsInPlace({
      ...options,
      onProgress: () => {
        renameSync(stage, `${stage}.moved`);
        symlinkSync(victim, stage);
      },
    }).catch(messageOf);
    expect(describeVictim()).toBe(before);
    expect(readdirSync(join(`${stage}.moved`, 'deep'))).toHaveLength(150);
  });

  test.runIf(isRoot)('never through a link that somebody else has made', async () => {
    const options = await take();
    renameSync(own, `${own}.moved`);
    symlinkSync(victim, own);
    lchownSync(own, 1234, 1234);
    await expect(restoreAssetsInPlace(options)).rejects.toThrow(`link ${own}: uid 1234 made it`);
    expect(describeVictim()).toBe(before);
  });

  test('and what says that a restore was interrupted is read as what it is', async () => {
    const options = await take();
    symlinkSync(join(victim, 'theirs'), join(assets(), '.restoring-assets'));
    const said = await restoreAssetsInPlace(options).catch(messageOf);
    expect(said).toContain('cannot finish an interrupted restore');
    expect(said).not.toContain('secret');
  });
});

describe('configuration', () => {
  const config = (): string => join(own, 'config');
  const sub = (): string => join(config(), 'sub');
  let backup: WholeBackup;

  beforeEach(async () => {
    mkdirSync(sub(), { recursive: true });
    for (const name of ['a', 'b', 'c']) writeFileSync(join(sub(), name), name);
    symlinkSync('a', join(sub(), 'link'));
    const folder = join(root, 'config-backup');
    mkdirSync(folder);
    const sources = { sources: [config()], secrets: join(root, 'none'), withSecrets: false };
    await takeConfig({ ...sources, stage: folder, signal });
    backup = { id: 'x', folder, manifest: {} } as WholeBackup;
  });

  const restore = (): Promise<ConfigRestored> => {
    const keepIn = join(root, 'kept');
    return restoreConfig({ backup, identity: undefined, places: [config()], keepIn, write: true });
  };

  test('is put back with its links, and what was there is kept', async () => {
    rmSync(join(sub(), 'link'));
    writeFileSync(join(sub(), 'a'), 'changed');
    const { changes, kept = '' } = await restore();
    expect(changes.map(({ what }) => what).sort()).toEqual(['changed', 'new', 'same', 'same']);
    expect(readFileSync(join(sub(), 'link'), 'utf8')).toBe('a');
    expect(readFileSync(join(kept, sub(), 'a'), 'utf8')).toBe('changed');
  });

  test('is not put through a link that lies there', async () => {
    rmSync(sub(), { recursive: true });
    symlinkSync(victim, sub());
    const { changes } = await restore();
    expect(new Set(changes.map(({ why }) => why))).toEqual(new Set(['a folder above it is a link']));
    expect(describeVictim()).toBe(before);
  });

  test('is not put through one that comes and goes while it is restored', async () => {
    writeFileSync(join(sub(), 'b'), 'changed');
    const victimInode = statSync(victim).ino;
    const touched: string[] = [];
    const watcher = watch(victim, (what, name) => touched.push(`${what} ${name}`));
    const racer = spawn(process.execPath, [SWAPS, sub(), victim], { stdio: ['ignore', 'pipe', 'ignore'] });
    const gone = once(racer, 'close');
    await once(racer.stdout, 'data');
    for (let round = 0; round < 100; round += 1) {
      await restore().catch(messageOf);
      for (const folder of [sub(), `${sub()}.other`]) {
        const door = openSync(folder, 'r');
        if (fstatSync(door).ino !== victimInode) writeFileSync(`/proc/self/fd/${door}/b`, 'changed');
        closeSync(door);
      }
    }
    expect(racer.exitCode).toBeNull();
    racer.kill('SIGKILL');
    await gone;
    watcher.close();
    expect(touched).toEqual([]);
    expect(describeVictim()).toBe(before);
  });
});
