import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findBinaries } from '../../src/postgres/binaries.ts';
import { type Dumps, makeDumps } from '../support/dumps.ts';
import type { TestVolume } from '../support/postgres.ts';
import { makeVolume } from '../support/volume.ts';

let volume: TestVolume;
let dumps: Dumps;
let folder: string;
let text: string;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-dumps-'));
  chmodSync(folder, 0o755);
  volume = await makeVolume();
  await volume.boot();
  dumps = await makeDumps(volume, folder);
  text = readFileSync(dumps.plain, 'latin1');
});
afterAll(async () => {
  await volume.remove();
  rmSync(folder, { recursive: true, force: true });
});

function put(name: string, content: Buffer | string): string {
  const file = join(volume.dataDir, name);
  writeFileSync(file, typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
  return file;
}

const packed = (tool: string): Buffer =>
  execFileSync(tool, ['-c', dumps.plain], { maxBuffer: 64 * 1024 ** 2 });

/** What is said of a dump; the database and its ledger are as they were. */
async function refuse(file: string): Promise<string> {
  const before = await volume.databases();
  const { code, failure = '' } = await volume.run('import', { input: { file, mode: 'replace' } });
  expect(code).toBe(12);
  expect(await volume.databases()).toEqual(before);
  expect(await volume.admin(`SELECT id FROM bulkhead.ledger WHERE kind = 'import'`)).toEqual([]);
  return failure.split('\n')[0] ?? '';
}

test('case 5: cut at a COPY line, within one, or before the trailer, a dump is refused as cut off', async () => {
  const at = text.indexOf('COPY public.tools ');
  const line = text.indexOf('\n', at + 50_000) + 1;
  expect(await refuse(put('at-a-line.sql', text.slice(0, line)))).toContain(
    'cut off in the rows of public.tools',
  );
  expect(await refuse(put('in-a-line.sql', text.slice(0, line + 9)))).toContain(
    'cut off in the rows of public.tools',
  );
  const trailer = text.indexOf('-- PostgreSQL database dump complete');
  expect(await refuse(put('no-trailer.sql', text.slice(0, trailer)))).toContain(
    'cut off before its last line',
  );
});

test('case 6: half a file of any format, a folder without one of its files, a flipped bit with a manifest: refused', async () => {
  const half = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length >> 1);
  const custom = readFileSync(dumps.custom);
  for (const [name, bytes] of [
    ['gzip', gzipSync(readFileSync(dumps.plain))],
    ['zstd', zstdCompressSync(readFileSync(dumps.plain))],
    ['xz', packed('xz')],
    ['bzip2', packed('bzip2')],
    ['custom', custom],
    ['tar', readFileSync(dumps.tar)],
  ] as const) {
    expect(await refuse(put(`half-${name}`, half(bytes)))).toMatch(/cut off|damaged/);
  }
  const directory = join(volume.dataDir, 'directory');
  cpSync(dumps.directory, directory, { recursive: true });
  const missing = readdirSync(directory).find((name) => /^\d+\.dat/.test(name)) ?? '';
  rmSync(join(directory, missing));
  expect(await refuse(directory)).toContain('cut off or damaged: could not open');

  // Without compression nothing in the archive itself tells that a bit of a row is another.
  const { bin } = findBinaries({ libraryDir: folder });
  const raw = join(folder, 'raw');
  const to = ['-h', join(volume.runDir, 'pg'), '-p', String(volume.plan.port), '-U', 'bulkhead'];
  execFileSync(join(bin, 'pg_dump'), [...to, '-Fc', '-Z0', '-f', raw, 'source']);
  const whole = readFileSync(raw);
  const flipped = Buffer.from(whole);
  const bit = flipped.indexOf('Category 1\n');
  expect(bit).toBeGreaterThan(0);
  flipped[bit] = (flipped[bit] ?? 0) ^ 1;
  const file = put('flipped', flipped);
  put('flipped.sha256', `${sha256(whole)}  flipped\n`);
  expect(await refuse(file)).toContain(`it is damaged: its SHA-256 is not the one in ${file}.sha256`);
  rmSync(`${file}.sha256`);
  put(
    'manifest.json',
    JSON.stringify({ files: [{ path: 'flipped', size: whole.length, sha256: sha256(whole) }] }),
  );
  expect(await refuse(file)).toContain('it is damaged: its SHA-256 is not the one in');
  rmSync(join(volume.dataDir, 'manifest.json'));
});

test('case 7: what a newer pg_dump writes is left out or refused in words, and no command of psql runs', async () => {
  const newer = readFileSync(dumps.custom);
  newer[6] = 16;
  expect(await refuse(put('newer', newer))).toMatch(
    /the archive is of format 1\.16; that needs the client programs of PostgreSQL 17 or newer, and here are those of \d+|damaged/,
  );
  const trailer = '-- PostgreSQL database dump complete';
  expect(
    await refuse(put('shell.sql', text.replace(trailer, `\\! touch ${folder}/x\n\n--\n${trailer}`))),
  ).toContain('the command \\! is for psql');
  expect(existsSync(join(folder, 'x'))).toBe(false);
});

test('case 7: settings of a newer server, \\restrict, xz and bzip2 with their checksums are imported', async () => {
  const head = text.replace(
    'SET statement_timeout = 0;',
    '\\restrict abc\nSET statement_timeout = 0;\nSET transaction_timeout = 0;',
  );
  const plain = Buffer.from(head.replace(/--\s*$/, '--\n\n\\unrestrict abc\n\n'), 'latin1');
  for (const tool of ['xz', 'bzip2']) {
    const file = put(
      `whole-${tool}`,
      execFileSync(tool, ['-c'], { input: plain, maxBuffer: 64 * 1024 ** 2 }),
    );
    put(`whole-${tool}.sha256`, `${sha256(readFileSync(file))} *somewhere/whole-${tool}\n`);
    const imported = await volume.run('import', { input: { file, mode: 'replace' } });
    expect(imported.failure).toBeUndefined();
    expect(imported.result).toMatchObject({ rows: 3135 });
    expect(imported.stderr).toContain(`the checksums of ${file} are right`);
    expect(imported.stderr).toContain('1 × transaction_timeout');
  }
});

test('where there is no xz, the package that has it is named', async () => {
  const file = put('packed.xz', packed('xz'));
  const said = await volume.run('import', { input: { file, mode: 'replace' }, env: { PATH: '/nowhere' } });
  expect(said.failure).toContain('it is compressed by xz, and here is no xz\n  install the package xz-utils');
});
