import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Dumps, makeDumps } from '../support/dumps.ts';
import type { TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

let broken: TestVolume;
let dumps: Dumps;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-dumps-'));
  chmodSync(folder, 0o755);
  broken = await makeVolume();
  await broken.boot();
  dumps = await makeDumps(broken, folder);
});
afterAll(async () => {
  await broken.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Imports beside an application database of another name, so that one server serves all cases. */
async function refuse(name: string, content: Buffer | string): Promise<string> {
  const file = join(broken.dataDir, name);
  writeFileSync(file, content);
  const before = await broken.databases();
  const ended = await broken.run('import', { input: { file, mode: 'replace' } });
  expect(ended.code).toBe(12);
  expect(ended.stderr).toContain(ended.failure?.split('\n')[0]);
  expect(await broken.databases()).toEqual(before);
  const ledger = await broken.admin(`SELECT id FROM bulkhead.ledger WHERE kind = 'import'`);
  expect(ledger).toEqual([]);
  return (ended.failure ?? '').replaceAll(broken.root, '');
}

const plain = (): string => readFileSync(dumps.plain, 'latin1');
const upTo = (text: string, marker: string | RegExp, more = 0): string =>
  text.slice(0, text.search(marker) + more);
const before = (insert: string): string =>
  plain().replace(
    '-- PostgreSQL database dump complete',
    `${insert}\n\n--\n-- PostgreSQL database dump complete`,
  );

test('each is refused with its own words, and nothing is left of it', async () => {
  const text = plain();
  const rows = text.slice(text.indexOf('COPY public.tools '));
  const head = text.slice(0, text.indexOf('COPY public.tools '));
  const archive = readFileSync(dumps.custom);
  const newer = Buffer.from(archive);
  newer[6] = 99;
  const cases: [string, Buffer | string][] = [
    [
      'cut after a whole row',
      Buffer.from(head + rows.split('\n').slice(0, 1000).join('\n').concat('\n'), 'latin1'),
    ],
    ['cut in a row', Buffer.from(head + rows.slice(0, 100_001), 'latin1')],
    ['cut in a function', Buffer.from(upTo(text, '-- a comment; with', 30), 'latin1')],
    ['cut in a statement', Buffer.from(upTo(text, /CREATE TABLE public\.tools/, 40), 'latin1')],
    ['cut between statements', Buffer.from(upTo(text, /\n--\n-- Name: tools;/), 'latin1')],
    ['cut before the last line', Buffer.from(upTo(text, '-- PostgreSQL database dump complete'), 'latin1')],
    ['half of a gzip file', gzipSync(text).subarray(0, 20_000)],
    ['half of a zstd file', zstdCompressSync(text).subarray(0, 20_000)],
    [
      'half of the second frame of zstd',
      Buffer.concat([
        zstdCompressSync(text.slice(0, 50_000)),
        zstdCompressSync(text.slice(50_000)).subarray(0, 20_000),
      ]),
    ],
    ['half of a custom archive', archive.subarray(0, archive.length >> 1)],
    ['a custom archive of the future', newer],
    ['a custom archive in gzip', gzipSync(archive)],
    ['a shell command', Buffer.from(before('\\! touch /tmp/bulkhead-was-here'), 'latin1')],
    [
      'COPY FROM PROGRAM',
      Buffer.from(before("COPY public.empty_table FROM PROGRAM 'touch /tmp/bulkhead-was-here';"), 'latin1'),
    ],
    ['COPY from a file', Buffer.from(before("COPY public.events FROM '/etc/passwd';"), 'latin1')],
    [
      'a command hidden in a comment',
      Buffer.from(
        before('COPY public.empty_table FROM/**/PROGRAM/**/ $$touch /tmp/bulkhead-was-here$$;'),
        'latin1',
      ),
    ],
    ['a superuser in disguise', Buffer.from(before('SET ROLE bulkhead;'), 'latin1')],
    ['an untrusted extension', Buffer.from(before('CREATE EXTENSION IF NOT EXISTS file_fdw;'), 'latin1')],
    ['an unknown extension', Buffer.from(before('CREATE EXTENSION IF NOT EXISTS "no such";'), 'latin1')],
    ['an error in the middle', Buffer.from(before('SELECT 1/0;'), 'latin1')],
    ['a wrong row', Buffer.from(text.replace(/^1\tCategory 1$/m, 'one\tCategory 1'), 'latin1')],
    ['rows that are deleted again', Buffer.from(swallowing(text), 'latin1')],
    ['several databases', Buffer.from(before('\\connect one\n\\connect two'), 'latin1')],
    ['a whole cluster', '--\n-- PostgreSQL database cluster dump\n--\n'],
    ['of MySQL', '-- MySQL dump 10.13\nCREATE TABLE `a` (b int);\n'],
    ['not a dump', 'Dear diary,\nit is raining; again.\n'],
    ['a picture', Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1')],
    ['empty', ''],
  ];
  const said: string[] = [];
  for (const [name, content] of cases)
    said.push(`${name}:\n  ${await refuse(name.replaceAll(' ', '-'), content)}`);
  // How many rows fit before a cut depends on the size of what pg_dump writes, which is not the same every time.
  expect(said.join('\n\n').replaceAll(/after [\d,]+ rows/g, 'after … rows')).toMatchSnapshot();
  expect(existsSync('/tmp/bulkhead-was-here')).toBe(false);
}, 180_000);

/** Rows counted in the dump, and gone afterwards. */
function swallowing(text: string): string {
  return text.replace(
    '-- PostgreSQL database dump complete',
    'DELETE FROM public.child WHERE x = 1;\n\n--\n-- PostgreSQL database dump complete',
  );
}
