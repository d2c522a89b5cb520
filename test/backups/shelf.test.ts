import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sweepLeftovers } from '../../src/backups/backups-room.ts';
import { noteRun } from '../../src/backups/last-run.ts';
import { listBackups } from '../../src/backups/list-backups.ts';
import { makeBackup } from '../../src/backups/make-backup.ts';
import { replacedName } from '../../src/backups/replaced.ts';
import { findBackup, readShelf, requireWhole } from '../../src/backups/shelf.ts';
import { type } from '../support/command-line.ts';
import { EXAMPLE_NOW } from '../support/product.ts';
import { shelve } from '../support/shelf.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bulkhead-shelf-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a backup is of version 2 where builds that read 1 alone could not compare what is in it', async () => {
  const make = async (hash?: string): Promise<number> => {
    const tables = hash === undefined ? [] : [{ table: 'public.t', rows: 1, hash }];
    const { manifest } = await makeBackup({
      root,
      kind: 'dump',
      installId: undefined,
      signal: new AbortController().signal,
      fill: async (stage) => {
        writeFileSync(join(stage, 'app.pgdump'), 'PGDMP');
        const databases = [{ name: 'app', owner: 'app', extensions: [], tables }];
        return { startedAt: new Date().toISOString(), databases };
      },
    });
    return manifest.schema;
  };
  expect([await make(), await make('-12'), await make('2:-12')]).toEqual([1, 1, 2]);
  expect(listBackups(root).backups.map(({ broken }) => broken)).toEqual([undefined, undefined, undefined]);
});

describe('a shelf', () => {
  test('that is not there holds nothing', () => {
    expect(readShelf(join(root, 'none'))).toEqual([]);
  });

  test('lists by the time in the manifests, newest first, and by kind', () => {
    const old = shelve(root, '2026-01-01T02:00:00.000Z');
    const base = shelve(root, '2026-01-03T02:00:00.000Z', { kind: 'base' });
    const young = shelve(root, '2026-01-02T02:00:00.000Z', { verified: {}, pinned: true });
    expect(readShelf(root).map(({ id }) => id)).toEqual([base, young, old]);
    expect(listBackups(root).backups[1]).toEqual({
      id: young,
      kind: 'dump',
      startedAt: '2026-01-02T02:00:00.000Z',
      size: 5,
      verified: { level: 'restored', at: '2026-01-02T02:00:00.000Z', ok: true, durationMs: 1 },
      pinned: true,
      offsite: [],
      broken: undefined,
    });
    expect(readShelf(root, ['base']).map(({ id }) => id)).toEqual([base]);
  });

  test('passes over what is not of our naming', () => {
    for (const name of ['.stage-1', 'notes', '20260101T020000Z-dump-XYZ', '20261301T020000Z-dump-3f9ac1']) {
      mkdirSync(join(root, 'dump', name), { recursive: true });
    }
    // The name of another kind's backup is a mistake of somebody's copy.
    mkdirSync(join(root, 'dump', '20260101T020000Z-base-3f9ac1'));
    expect(readShelf(root)).toEqual([]);
  });
});

test('a kill between the two renames of a replacement loses no backup', async () => {
  const id = shelve(root, '2026-01-01T02:00:00.000Z');
  const shelf = join(root, 'dump');
  // Where names cannot be exchanged, its place is empty for a moment.
  renameSync(join(shelf, id), join(shelf, replacedName(id)));
  mkdirSync(join(shelf, `.stage-${id}`));
  await sweepLeftovers(root, join(root, 'no-cluster'));
  expect(readdirSync(shelf)).toEqual([id]);
  expect(readShelf(root)).toMatchObject([{ id, broken: undefined }]);
  // And a moment later the successor is there.
  mkdirSync(join(shelf, replacedName(id)));
  await sweepLeftovers(root, join(root, 'no-cluster'));
  expect(readdirSync(shelf)).toEqual([id]);
});

describe('a broken backup is told, and never used', () => {
  const at = '2026-01-01T02:00:00.000Z';
  const change = (how: (manifest: Record<string, unknown>) => void): string => {
    const id = shelve(root, at);
    const path = join(root, 'dump', id, 'manifest.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8'));
    how(manifest);
    writeFileSync(path, JSON.stringify(manifest));
    return id;
  };
  const file = (path: string) => ({ path, size: 5, sha256: 'a'.repeat(64) });

  test.each<[string, () => string, string]>([
    [
      'no manifest',
      () => {
        const id = shelve(root, at);
        rmSync(join(root, 'dump', id, 'manifest.json'));
        return id;
      },
      'it has no manifest',
    ],
    [
      'half a manifest',
      () => {
        const id = shelve(root, at);
        writeFileSync(join(root, 'dump', id, 'manifest.json'), '{"schema": 1,');
        return id;
      },
      'manifest.json is no JSON',
    ],
    [
      'a truncated file',
      () => {
        const id = shelve(root, at);
        writeFileSync(join(root, 'dump', id, 'app.pgdump'), 'PG');
        return id;
      },
      'app.pgdump has 2 bytes instead of 5',
    ],
    [
      'a missing file',
      () => {
        const id = shelve(root, at);
        rmSync(join(root, 'dump', id, 'app.pgdump'));
        return id;
      },
      'app.pgdump is missing',
    ],
    [
      'another version',
      () => change((manifest) => Object.assign(manifest, { schema: 3 })),
      'is of version 3',
    ],
    ['another id', () => change((manifest) => Object.assign(manifest, { id: 'x' })), 'is that of x'],
    [
      'a way out of its folder',
      () => change((manifest) => Object.assign(manifest, { files: [file('../../../etc/passwd')] })),
      'lists a file outside of its folder',
    ],
    [
      'an absolute path',
      () => change((manifest) => Object.assign(manifest, { files: [file('/etc/passwd')] })),
      'lists a file outside of its folder',
    ],
    ['no files', () => change((manifest) => Object.assign(manifest, { files: [] })), 'lists no files'],
    [
      'a start that is no time',
      () => change((manifest) => Object.assign(manifest, { startedAt: 'yesterday' })),
      'has no startedAt',
    ],
  ])('%s', (_, make, why) => {
    const id = make();
    const [backup] = readShelf(root);
    expect(backup).toMatchObject({ id, broken: expect.stringContaining(why) });
    if (!backup) throw new Error('nothing there');
    expect(() => requireWhole(backup)).toThrow(`cannot use backup ${id}: `);
    expect(() => findBackup(readShelf(root), 'latest')).toThrow('there is no whole one');
  });
});

describe('findBackup', () => {
  test('takes an id, the beginning of one, or latest', () => {
    const first = shelve(root, '2026-01-01T02:00:00.000Z');
    const second = shelve(root, '2026-01-02T02:00:00.000Z');
    const base = shelve(root, '2026-01-03T02:00:00.000Z', { kind: 'base' });
    const shelf = readShelf(root);
    expect(findBackup(shelf, first).id).toBe(first);
    expect(findBackup(shelf, '20260102').id).toBe(second);
    expect(findBackup(shelf, 'latest').id).toBe(base);
    expect(findBackup(shelf, 'latest', 'dump').id).toBe(second);
    expect(() => findBackup(shelf, '202601')).toThrow('3 begin like that');
    expect(() => findBackup(shelf, '2027')).toThrow('cannot find backup 2027: there is none of that name');
    expect(() => findBackup(shelf, '')).toThrow('cannot find backup');
  });
});

describe('bulkhead backup list', () => {
  const list = async (...more: string[]) => {
    const doors = { backups: async (dataDir: string) => listBackups(`${dataDir}/backups`) };
    return type(['backup', 'list', '--data', root, ...more], { doors });
  };
  const ago = (hours: number): string => new Date(EXAMPLE_NOW - hours * 3_600_000).toISOString();

  test('shows what could be restored, without a supervisor', async () => {
    const shelf = join(root, 'backups');
    const good = shelve(shelf, ago(30), { verified: {} });
    const bad = shelve(shelf, ago(6), {
      verified: { ok: false, problem: 'public.tools has 3 rows instead of 4' },
    });
    shelve(shelf, ago(3), { verified: { level: 'files' } });
    const { code, out } = await list();
    expect(code).toBe(0);
    expect(out).toContain(`${good}  1 d 6 h   5 B  restored`);
    expect(out).toMatch(new RegExp(`${bad} .* FAILED .* public.tools has 3 rows instead of 4`));
    expect(out).toContain(`last restorable backup: ${good}, 1 d 6 h old`);
  });

  test('says so where there is none', async () => {
    expect((await list()).out).toBe(`no backups in ${root}/backups. Make one: bulkhead backup run daily\n`);
    shelve(join(root, 'backups'), ago(1));
    expect((await list()).out).toContain('no backup of the database is known to be good');
    noteRun(join(root, 'backups'), 'daily', { ok: false, problem: 'no space left' });
    expect((await list()).out).toContain('the last run failed: no space left');
  });

  test('prints JSON, also of one kind', async () => {
    const id = shelve(join(root, 'backups'), ago(1));
    shelve(join(root, 'backups'), ago(1), { kind: 'base' });
    const { out } = await list('--json', '--kind', 'dump');
    expect(JSON.parse(out)).toMatchObject({ schemaVersion: 1, dataDir: root, backups: [{ id, size: 5 }] });
  });
});
