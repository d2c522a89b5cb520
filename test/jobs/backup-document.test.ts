/** docs/backup-and-restore.md, followed from its first command to its last, with real servers. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { findBinaries, findTool } from '../../src/postgres/binaries.ts';
import { findIdentity } from '../../src/system/users.ts';
import { readBlocks } from '../support/documents.ts';
import { type ExternalPostgres, makeExternalPostgres } from '../support/external-postgres.ts';
import { type Followed, follow } from '../support/follow-document.ts';
import { bulkhead, freePorts, type Supervisor, startSupervisor } from '../support/supervisor.ts';

const binaries = findBinaries({ libraryDir: '/tmp' });
const hasClients = findTool(binaries, 'pg_verifybackup') !== undefined;
/** Programs that the page says to install. */
const has = (program: string): boolean =>
  (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, program)));

let folder: string;
let server: ExternalPostgres;
let product: Supervisor;
let env: Record<string, string>;
/** Of the application's database. */
let port: number;
/** On which copies of the cluster are started. */
let copyPort: number;
const data = (...path: string[]): string => join(product.dataDir, ...path);
const scratch = (...path: string[]): string => join(folder, ...path);
const postgres = process.geteuid?.() === 0 ? findIdentity('postgres') : undefined;

const planWith = (more = ''): string => `
version: 1
name: tools
database: { name: tools, user: tools_user, settings: { fsync: off } }
backups: { point_in_time: true, disk_floor: 1m${more} }
services:
  app: { command: [sleep, infinity], depends_on: { database: { condition: service_healthy } } }
`;

/** The newest backup of a kind. */
function newest(kind: string): string {
  const made = existsSync(data('backups', kind)) ? readdirSync(data('backups', kind)) : [];
  return (
    made
      .filter((name) => name.includes(`-${kind}-`))
      .sort()
      .at(-1) ?? ''
  );
}

async function sql(text: string): Promise<string> {
  const { stdout, stderr } = await product.run('db', 'psql', '--', '-XAtqc', text);
  return stdout.trim() || stderr;
}

const numbers = 'SELECT count(*) FROM numbers';

/** A moment later than all that was written, and earlier than all that will be. */
function moment(): Promise<string> {
  return sql('SELECT to_char(clock_timestamp() AT TIME ZONE \'UTC\', \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')');
}

async function ask(
  { connect, user, database = 'tools' }: { connect: number; user: string; database?: string },
  text: string,
): Promise<string> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: connect,
    user,
    database,
    password: readFileSync(data('secrets', 'app_password'), 'utf8').trim(),
  });
  await client.connect();
  try {
    return String(Object.values((await client.query(text)).rows[0] ?? {})[0]);
  } finally {
    await client.end();
  }
}

function putProgram(name: string, line: string): void {
  writeFileSync(scratch('bin', name), `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 });
}

/** A copy of a cluster was started as the page says: what is in it, and its end. */
async function askCopy(text: string): Promise<string> {
  try {
    return await ask({ connect: copyPort, user: 'tools_user' }, text);
  } finally {
    await follow(
      'pg_ctl -D /copies/restored -m immediate stop',
      { '/copies': scratch('copies') },
      asPostgres(),
    );
    rmSync(scratch('copies', 'restored'), { recursive: true });
  }
}

const logsOfCopies = (): string =>
  [scratch('copies', 'restored.log'), scratch('copies', 'restored', 'restored.log')]
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');

const asPostgres = () => ({
  folder,
  env: { ...env, PGHOST: scratch('copies'), PGPORT: String(copyPort) },
  user: postgres,
});

interface Scene {
  /** What the block begins with. */
  readonly first: string;
  /** Not followed where this program is not installed. */
  readonly needs?: string;
  /** What the page takes for given; names of the page and what they mean here. */
  before(): Promise<Readonly<Record<string, string>>>;
  readonly reader?: () => Parameters<typeof follow>[2];
  after(done: Followed): Promise<void>;
}

let then: string;

const SCENES: readonly Scene[] = [
  {
    first: 'bulkhead backup run daily',
    before: async () => {
      await sql('CREATE TABLE numbers AS SELECT generate_series(1, 1000) AS n');
      mkdirSync(data('assets', 'logos'), { recursive: true });
      writeFileSync(data('assets', 'logos', 'a b.png'), 'a logo');
      mkdirSync(data('config'), { recursive: true });
      writeFileSync(data('config', 'app.env'), 'SITE_NAME=Shelf\nAPI_KEY=correct-horse-battery\n');
      return {};
    },
    after: async ({ output }) => {
      expect(output).toMatch(/last restorable backup: \S+-(dump|base)-/);
      for (const kind of ['dump', 'base', 'assets', 'config']) expect(newest(kind)).not.toBe('');
    },
  },
  {
    first: 'bulkhead db import',
    before: async () => {
      const elsewhere = scratch('elsewhere');
      mkdirSync(elsewhere);
      chmodSync(elsewhere, 0o755);
      outside = await startSupervisor({
        plan: planWith(),
        folder: elsewhere,
        env: { DATABASE_URL: server.url() },
      });
      await outside.ready();
      cpSync(data('backups'), join(outside.dataDir, 'backups'), {
        recursive: true,
        preserveTimestamps: true,
      });
      return {
        'bulkhead db': `BULKHEAD_DATA=${outside.dataDir} BULKHEAD_CONFIG=${elsewhere}/plan.yaml DATABASE_URL='${server.url()}' bulkhead db`,
        '/data': outside.dataDir,
      };
    },
    after: async () => {
      expect(await server.admin(numbers, 'app')).toEqual([{ count: '1000' }]);
      expect(await outside?.stop()).toMatchObject({ code: 0 });
    },
  },
  {
    first: 'pg_restore --no-owner',
    before: async () => {
      await server.admin('CREATE DATABASE plain OWNER app');
      copyFileSync(data('backups', 'dump', newest('dump'), 'tools.dump'), scratch('tools.dump'));
      return { $DATABASE_URL: server.url({ name: 'plain' }) };
    },
    after: async () => {
      expect(await server.admin(numbers, 'plain')).toEqual([{ count: '1000' }]);
    },
  },
  {
    first: 'bulkhead backup restore latest --dry-run',
    before: async () => {
      const dump = newest('dump');
      mkdirSync(scratch('usb', 'backups', 'dump'), { recursive: true });
      // With its owner, as a disk keeps it.
      execFileSync('cp', ['-a', data('backups', 'dump', dump), scratch('usb', 'backups', 'dump')]);
      await sql('CREATE TABLE theirs AS SELECT generate_series(1, 30) AS n');
      const made = await follow(
        'pg_dump -h 127.0.0.1 -t theirs tools | gzip >/data/import/their-dump.sql.gz',
        { '/data': product.dataDir },
        { folder, env: { ...env, PGUSER: 'tools_user', PGPORT: String(port), PGPASSWORD: password() } },
      );
      expect(made).toMatchObject({ code: 0 });
      // As far as it takes to mean one.
      return { '20261121T02 ': `${dump.slice(0, -4)} ` };
    },
    after: async ({ output }) => {
      expect(output.match(/restored \S+ in /g)).toHaveLength(4);
      expect(await sql(numbers)).toContain('does not exist');
      expect(await sql('SELECT count(*) FROM theirs')).toBe('30');
    },
  },
  {
    first: 'bulkhead db status',
    before: async () => {
      const { stdout } = await product.run('db', 'status');
      const [oldest = ''] = stdout.match(/tools_old_\w+/g)?.sort() ?? [];
      return { tools_old_20261121T083501: oldest };
    },
    after: async ({ output }) => {
      expect(output.match(/\[y\/N\]/g)).toHaveLength(2);
      expect(await sql(numbers)).toBe('1000');
    },
  },
  {
    first: 'bulkhead backup run base                ',
    before: async () => {
      then = await moment();
      await sql('INSERT INTO numbers VALUES (0)');
      return { '2026-11-21T08:15:00Z': then };
    },
    after: async ({ output }) => {
      expect(output).toMatch(/back to any moment from/);
      expect(await sql(numbers)).toBe('1000');
    },
  },
  {
    first: 'cd /data/wal/',
    before: async () => {
      then = await moment();
      await sql('INSERT INTO numbers VALUES (0)');
      // For the two blocks after the next: what is encrypted, and what no supervisor holds.
      const identity = await generateIdentity();
      mkdirSync(scratch('fetched'));
      writeFileSync(scratch('fetched', 'key.txt'), `${identity}\n`, { mode: 0o600 });
      writeFileSync(scratch('plan.yaml'), planWith(`, recipients: [${await identityToRecipient(identity)}]`));
      expect(await product.run('reload')).toMatchObject({ code: 0 });
      plain = newest('dump');
      expect(await product.run('backup', 'run', 'daily')).toMatchObject({ code: 0 });
      for (const kind of ['dump', 'config']) {
        const from = data('backups', kind, newest(kind));
        for (const name of readdirSync(from)) {
          if (name.endsWith('.age')) copyFileSync(join(from, name), scratch('fetched', name));
        }
      }
      expect(await product.stop()).toMatchObject({ code: 0 });
      const [archive = ''] = readdirSync(data('wal'));
      return {
        '7412345678901234567-17': archive,
        '2026-11-21 08:15:00+00': then.replace('T', ' ').replace('Z', '+00'),
      };
    },
    reader: asPostgres,
    after: async () => {
      expect(await askCopy(numbers)).toBe('1000');
    },
  },
  {
    first: 'cd /data/backups/dump/',
    // That of before the key.
    before: async () => ({ '20261121T020000Z-dump-3f9ac1': plain }),
    reader: () => ({
      folder,
      env: {
        ...env,
        PGHOST: join(server.folder, 'sockets'),
        PGPORT: String(server.port),
        PGUSER: 'postgres',
      },
    }),
    after: async ({ output }) => {
      const { files } = JSON.parse(readFileSync(data('backups', 'dump', plain, 'manifest.json'), 'utf8'));
      expect(JSON.stringify(files)).toContain(
        /^[0-9a-f]{64}(?= {2}tools\.dump)/m.exec(output)?.[0] ?? 'none',
      );
      expect(await server.admin(numbers, 'tools')).toEqual([{ count: '1000' }]);
    },
  },
  {
    first: 'pg_verifybackup',
    before: async () => ({}),
    reader: asPostgres,
    after: async () => {
      expect(await askCopy('SELECT count(*) >= 1000 FROM numbers')).toBe('true');
    },
  },
  {
    first: 'age -d',
    needs: 'age',
    before: async () => ({}),
    reader: () => ({ folder: scratch('fetched'), env }),
    after: async () => {
      expect(readFileSync(scratch('fetched', 'tools.dump')).subarray(0, 5).toString()).toBe('PGDMP');
      const files = readdirSync(scratch('fetched'), { recursive: true }).map(String);
      const found = files.find((name) => basename(name) === 'app.env') ?? '';
      expect(readFileSync(scratch('fetched', found), 'utf8')).toContain('API_KEY=correct-horse-battery');
    },
  },
  {
    first: 'cd /data/backups/assets',
    needs: 'jq',
    before: async () => ({ '/restored': scratch('restored') }),
    after: async () => {
      const files = readdirSync(scratch('restored'), { recursive: true }).map(String);
      const found = files.find((name) => basename(name) === 'a b.png') ?? '';
      expect(readFileSync(scratch('restored', found), 'utf8')).toBe('a logo');
    },
  },
];

let outside: Supervisor | undefined;
let plain: string;
const password = (): string => readFileSync(data('secrets', 'app_password'), 'utf8').trim();

const blocks = readBlocks('docs/backup-and-restore.md').filter(({ mark }) => mark === 'run: here');

test('every block that is to be followed has its scene, in the order of the page', () => {
  expect(blocks.map(({ text }) => SCENES.find(({ first }) => text.startsWith(first))?.first)).toEqual(
    SCENES.map(({ first }) => first),
  );
});

describe.runIf(hasClients)('who follows docs/backup-and-restore.md', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bulkhead-page-'));
    // The database's own user has to pass.
    chmodSync(folder, 0o755);
    for (const name of ['bin', 'copies', 'data']) mkdirSync(scratch(name));
    if (postgres) chownSync(scratch('copies'), postgres.uid, postgres.gid);
    server = await makeExternalPostgres();
    [port = 0, copyPort = 0] = await freePorts(2);
    product = await startSupervisor({
      plan: planWith(),
      folder,
      env: { BULKHEAD_DB_PORT: String(port) },
    });
    env = {
      PATH: `${scratch('bin')}:${binaries.bin}:${process.env.PATH}`,
      HOME: folder,
      BULKHEAD_DATA: product.dataDir,
      BULKHEAD_CONFIG: scratch('plan.yaml'),
      BULKHEAD_DB_PORT: String(port),
    };
    putProgram('bulkhead', `${process.execPath} ${bulkhead}`);
    // The folder of sockets that the system has is somebody else's.
    putProgram('pg_ctl', `${join(binaries.bin, 'pg_ctl')} -o "-k ${folder}/copies"`);
    await product.ready();
  }, 60_000);
  afterAll(async () => {
    await outside?.[Symbol.asyncDispose]();
    await product[Symbol.asyncDispose]();
    await server.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const { first, needs, before, reader, after } of SCENES) {
    const block = blocks.find(({ text }) => text.startsWith(first));
    // Several restores in a row.
    it.runIf(needs === undefined || has(needs))(
      `line ${block?.line}: ${first}`,
      async () => {
        const names = {
          '20261121T020000Z-dump-3f9ac1': newest('dump'),
          '20261121T030000Z-base-77aa01': newest('base'),
          '20261121T020500Z-assets-12ab34': newest('assets'),
          '/var/lib/postgresql/17': scratch('copies'),
          '/mnt/usb': scratch('usb'),
          '/data': product.dataDir,
          ...(await before()),
        };
        const done = await follow(block?.text ?? '', names, reader?.() ?? { folder, env });
        expect(done.code, `${done.output}\n${logsOfCopies()}`).toBe(0);
        await after(done);
      },
      300_000,
    );
  }
});
