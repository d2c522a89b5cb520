import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { TarHeader } from 'modern-tar';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findBinaries, findTool } from '../../src/postgres/binaries.ts';
import type { BundleCreated } from '../../src/protocol/bundles.ts';
import { type Change, forgeBundle, makeOldHost, type OldHost, PASSPHRASE } from '../support/bundles.ts';
import { makeEmptyVolume, type TestVolume } from '../support/postgres.ts';

const hasTools = findTool(findBinaries({ libraryDir: '/tmp' }), 'pg_dump') !== undefined;

describe.runIf(hasTools)('a bundle', () => {
  let host: OldHost;
  let made: BundleCreated;
  let volume: TestVolume;
  beforeAll(async () => {
    host = await makeOldHost();
    made = await host.bundle('move.bundle.tar');
  }, 60_000);
  afterAll(() => host.remove());
  afterEach(() => volume?.remove());

  async function makeNewHost(): Promise<string> {
    volume = await makeEmptyVolume();
    const imports = join(volume.dataDir, 'import');
    mkdirSync(imports);
    return imports;
  }

  /** What of the volume is there; nothing below `import`. */
  function listVolume(): string[] {
    return readdirSync(volume.dataDir, { recursive: true, encoding: 'utf8' })
      .filter((path) => !path.startsWith('import'))
      .sort();
  }

  test('is made of what the role may read, verified, and says what it left out', () => {
    expect(made).toMatchObject({
      database: 'app',
      tables: 2,
      rows: 502,
      verified: 'restored',
      untried: undefined,
      largeObjects: false,
      assets: { files: 2, bytes: 300_000, skipped: ['out: a link that leads out'], torn: [] },
      environment: { leftOut: ['DATABASE_URL'], sealed: ['NEXTAUTH_SECRET', 'SMTP_PASSWORD'] },
    });
    const bytes = readFileSync(made.path).toString('latin1');
    expect(bytes).not.toMatch(/old secret|lines'|app secret|postgresql:\/\//);
    expect(readdirSync(host.folder).filter((name) => name.startsWith('.stage'))).toEqual([]);
  });

  test('is brought in whole by the first start, and later ones are quiet', async () => {
    const imports = await makeNewHost();
    copyFileSync(made.path, join(imports, 'any name'));
    const booted = await volume.boot({ secrets: { bundlePassphrase: PASSPHRASE } });
    expect(booted.failure).toBeUndefined();
    expect(await volume.query('SELECT id, name, at::text FROM tools ORDER BY 1')).toEqual(
      await host.server.admin('SELECT id, name, at::text FROM tools ORDER BY 1', 'app'),
    );
    expect(await volume.query('SELECT * FROM tags ORDER BY 1')).toEqual([
      { tool: 1, tag: 'ä' },
      { tool: 2, tag: null },
    ]);
    expect(
      await volume.query('SELECT encode(lo_get(oid), $1) AS o FROM pg_largeobject_metadata', 'tools', [
        'escape',
      ]),
    ).toEqual([{ o: 'a large object' }]);
    const assets = join(volume.dataDir, 'assets');
    expect(readdirSync(assets, { recursive: true }).sort()).toEqual([
      'a',
      'a/empty',
      'a/ü.png',
      'latest',
      'none.txt',
    ]);
    expect(readFileSync(join(assets, 'a', 'ü.png')).equals(Buffer.alloc(300_000, 'image'))).toBe(true);
    expect(readlinkSync(join(assets, 'latest'))).toBe('a/ü.png');
    expect(readFileSync(join(volume.dataDir, 'config', 'app.env'), 'utf8')).toBe(
      `# of the old host\nPORT=3000\nNEXTAUTH_SECRET="old secret"\nSMTP_PASSWORD='two\nlines'\n# DATABASE_URL was left out: the new host has its own\nPUBLIC_NAME=tools\n`,
    );
    expect(readdirSync(join(volume.dataDir, 'config'))).toEqual(['app.env']);
    expect(await volume.admin('SELECT kind, sha256 FROM bulkhead.ledger')).toEqual([
      { kind: 'import', sha256: made.sha256 },
    ]);
    expect(readdirSync(join(volume.dataDir, 'pg')).filter((name) => /^\.stage|^op\.json/.test(name))).toEqual(
      [],
    );
    await volume.stopServer();
    const again = await volume.boot();
    expect(again.failure).toBeUndefined();
    expect(again.notes).toEqual([]);
  }, 60_000);

  test('without its passphrase leaves the secrets encrypted, and never touches an app.env that is there', async () => {
    const imports = await makeNewHost();
    copyFileSync(made.path, join(imports, 'm.tar'));
    const config = join(volume.dataDir, 'config');
    mkdirSync(config);
    writeFileSync(join(config, 'app.env'), 'MINE=1\n');
    const cluster = await volume.run('cluster');
    expect(cluster.failure).toBeUndefined();
    expect(cluster.notes.join('\n')).toMatch(/secrets of .* are encrypted.*\n?.*left out .*DATABASE_URL/s);
    expect(readFileSync(join(config, 'app.env'), 'utf8')).toBe('MINE=1\n');
    expect(readFileSync(join(config, 'app.env.moved-in'), 'utf8')).toContain(
      '# NEXTAUTH_SECRET was left out\n',
    );
    expect(readFileSync(join(config, 'app.env.age'), 'latin1')).toMatch(/^age-encryption.org\/v1\n-> scrypt/);
  }, 60_000);

  const json = (change: (value: Record<string, never> & { schema: number }) => void) => (content: Buffer) => {
    const value = JSON.parse(content.toString('utf8'));
    change(value);
    return Buffer.from(JSON.stringify(value));
  };
  const add =
    (more: TarHeader, body = ''): Change =>
    (header, content) =>
      header.name === 'manifest.json'
        ? [
            [more, Buffer.from(body)],
            [header, content],
          ]
        : [[header, content]];
  const edit =
    (name: string, change: (content: Buffer) => Buffer): Change =>
    (header, content) => [[header, header.name === name ? change(content) : content]];

  const refusals: readonly [string, Change, RegExp][] = [
    ['with a byte of its dump changed', edit('database.dump', flip), /database\.dump in it is damaged/],
    ['with a byte of an asset changed', edit('assets/a/ü.png', flip), /ü\.png in it is damaged/],
    [
      'without its manifest',
      (header, content) => (header.name === 'manifest.json' ? [] : [[header, content]]),
      /cut off/,
    ],
    [
      'without one of its files',
      (header, content) => (header.name === 'assets/none.txt' ? [] : [[header, content]]),
      /none\.txt is missing/,
    ],
    ['with a name that climbs', add({ name: 'assets/../../x', size: 0 }, 'x'), /climbs out/],
    ['with an absolute name', add({ name: '/etc/x', size: 0 }, 'x'), /is absolute/],
    [
      'with a link that leads out',
      add({ name: 'assets/l', size: 0, type: 'symlink', linkname: '../../x' }),
      /leads out/,
    ],
    ['with a name twice', add({ name: 'assets/none.txt', size: 0 }, 'x'), /comes twice/],
    ['with a file nobody knows', add({ name: 'evil.sh', size: 0 }, 'x'), /does not belong/],
    [
      'with a file its manifest does not know',
      add({ name: 'assets/more', size: 0 }, 'x'),
      /does not know assets\/more/,
    ],
    [
      'of a newer form',
      edit(
        'bulkhead-bundle.json',
        json((value) => {
          value.schema = 9;
        }),
      ),
      /of form 9/,
    ],
    [
      'with a manifest of a newer form',
      edit(
        'manifest.json',
        json((value) => {
          value.schema = 9;
        }),
      ),
      /of form 9/,
    ],
    [
      'with a dump for newer clients',
      edit('database.dump', newer),
      /format 1\.99; that needs the client programs/,
    ],
  ];

  test.each(refusals)('%s is refused, and the volume is as it was', async (_, change, words) => {
    const imports = await makeNewHost();
    await forgeBundle(made.path, join(imports, 'm.tar'), change);
    const before = listVolume();
    const cluster = await volume.run('cluster');
    expect(cluster.failure).toMatch(words);
    expect(cluster.code).toBe(12);
    expect(listVolume()).toEqual(before);
  });

  test('that was cut off anywhere is refused', async () => {
    const imports = await makeNewHost();
    const file = join(imports, 'm.tar');
    for (const share of [0.1, 0.5, 0.9, 0.99]) {
      copyFileSync(made.path, file);
      truncateSync(file, Math.floor(made.size * share));
      const cluster = await volume.run('cluster');
      expect(cluster.failure).toMatch(/cut off|damaged/);
      expect(cluster.code).toBe(12);
      expect(listVolume()).toEqual([]);
    }
  });

  test('a wrong passphrase, assets in the way, a dump or another bundle beside it: nothing is done', async () => {
    const imports = await makeNewHost();
    const file = join(imports, 'm.tar');
    copyFileSync(made.path, file);
    const wrong = await volume.run('cluster', { secrets: { bundlePassphrase: 'another' } });
    expect([wrong.code, wrong.failure]).toEqual([
      12,
      expect.stringMatching(/the passphrase is wrong\n {2}give the one .* BUNDLE_PASSPHRASE_FILE/),
    ]);
    const missing = await volume.run('cluster', { secrets: { noBundlePassphrase: '/run/nowhere' } });
    expect(missing.failure).toMatch(/BUNDLE_PASSPHRASE_FILE is \/run\/nowhere, and nothing can be read/);
    copyFileSync(made.path, join(imports, 'n.tar'));
    const two = await volume.run('cluster');
    expect(two.failure).toMatch(/cannot choose between 2 dumps and bundles: .*m\.tar, .*n\.tar/);
    rmSync(join(imports, 'n.tar'));
    writeFileSync(join(imports, 'dump.sql'), 'SELECT 1;\n');
    const dump = await volume.run('cluster');
    expect(dump.failure).toMatch(/cannot choose between 2 .*dump\.sql, .*m\.tar/);
    rmSync(join(imports, 'dump.sql'));
    expect(listVolume()).toEqual([]);
    mkdirSync(join(volume.dataDir, 'assets'));
    writeFileSync(join(volume.dataDir, 'assets', 'mine'), '');
    const way = await volume.run('cluster');
    expect([way.code, way.failure]).toEqual([12, expect.stringMatching(/assets has something in it/)]);
    expect(existsSync(join(volume.dataDir, 'pg'))).toBe(false);
  });

  test('whose rows are not those that were dumped comes to nothing', async () => {
    const imports = await makeNewHost();
    const lie = json((value) => {
      const { database } = value as unknown as { database: { tables: { table: string; rows: number }[] } };
      for (const each of database.tables) if (each.table === 'public.tags') each.rows = 3;
    });
    await forgeBundle(made.path, join(imports, 'm.tar'), edit('manifest.json', lie));
    const cluster = await volume.run('cluster');
    expect([cluster.code, cluster.failure]).toEqual([
      12,
      expect.stringMatching(/public\.tags has 2 rows instead of 3/),
    ]);
    expect(readdirSync(join(volume.dataDir, 'pg')).filter((name) => name !== 'op.lock')).toEqual([]);
    expect(readdirSync(join(volume.dataDir, 'assets'))).toEqual([]);
    expect(readdirSync(volume.dataDir).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(readdirSync(join(volume.dataDir, 'config'))).toEqual([]);
  });
});

function flip(content: Buffer): Buffer {
  const changed = Buffer.from(content);
  const at = Math.floor(changed.length / 2);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

/** Byte 6 of an archive: its minor version. */
function newer(content: Buffer): Buffer {
  const changed = Buffer.from(content);
  changed[6] = 99;
  return changed;
}
