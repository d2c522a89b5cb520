import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { archiveScript } from '../../src/wal/archive-script.ts';
import { fetchScript } from '../../src/wal/fetch-script.ts';
import { closeGap, declareGap, liftGap, readGaps, readOpenGap, reopenGap } from '../../src/wal/gap.ts';

const NAME = '000000010000000000000003';
/** What would be a command, were it not quoted. */
const HOSTILE = `it's $(touch owned) "%p"; touch owned`;

let root: string;
let cluster: string;
let archive: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bulkhead-wal-'));
  cluster = join(root, 'cluster');
  archive = join(root, HOSTILE);
  mkdirSync(join(cluster, 'pg_wal'), { recursive: true });
  mkdirSync(archive);
  segment('first');
  serve('ready');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function segment(content: string): void {
  writeFileSync(join(cluster, 'pg_wal', NAME), content);
}

/** Line 8 of postmaster.pid, as PostgreSQL pads it. */
function serve(status: string): void {
  writeFileSync(
    join(cluster, 'postmaster.pid'),
    `1\n${cluster}\n0\n5432\n/run\n\n0 0\n${status.padEnd(8)}\n`,
  );
}

function archiveIt(floor = 0): { code: number | null; said: string } {
  const script = join(root, 'archive-wal');
  writeFileSync(script, archiveScript({ archive, floor }));
  return runShell([script, `pg_wal/${NAME}`, NAME]);
}

function fetchIt(name: string, needed: readonly string[] = []): { code: number | null; said: string } {
  const script = join(root, 'fetch-wal');
  writeFileSync(join(root, 'needed'), needed.map((each) => `${each}\n`).join(''));
  writeFileSync(script, fetchScript({ archive, needed: join(root, 'needed') }));
  return runShell([script, name, 'pg_wal/RECOVERYXLOG']);
}

function runShell(argv: readonly string[]): { code: number | null; said: string } {
  const { status, stderr } = spawnSync('sh', argv, { cwd: cluster, encoding: 'utf8' });
  return { code: status, said: stderr };
}

test('a segment is in the archive whole, with a hash that sha256sum reads, and comes back as it was', () => {
  expect(archiveIt()).toEqual({ code: 0, said: '' });
  expect(readdirSync(archive)).toEqual([NAME, `${NAME}.sha256`]);
  const sum = createHash('sha256').update('first').digest('hex');
  expect(readFileSync(join(archive, `${NAME}.sha256`), 'utf8')).toBe(`${sum}  ${NAME}\n`);
  expect(spawnSync('sh', ['-c', `sha256sum -c ${NAME}.sha256`], { cwd: archive }).status).toBe(0);
  expect(fetchIt(NAME)).toEqual({ code: 0, said: '' });
  expect(readFileSync(join(cluster, 'pg_wal', 'RECOVERYXLOG'), 'utf8')).toBe('first');
  expect(existsSync(join(cluster, 'owned'))).toBe(false);
});

test('case 21: the same content again is success, another one is refused loudly and leaves what is there', () => {
  archiveIt();
  expect(archiveIt().code).toBe(0);
  segment('other');
  const refused = archiveIt();
  expect(refused.code).toBe(1);
  expect(refused.said).toContain(`cannot archive ${NAME}: it is there already with another content`);
  expect(readFileSync(join(archive, NAME), 'utf8')).toBe('first');
  expect(readOpenGap(archive)).toBeUndefined();
});

test('what a killed copy left is written over, and a hash without its segment made anew', () => {
  writeFileSync(join(archive, `.tmp-${NAME}`), 'half');
  writeFileSync(join(archive, `${NAME}.sha256`), 'half');
  expect(archiveIt().code).toBe(0);
  rmSync(join(archive, `${NAME}.sha256`));
  expect(archiveIt().code).toBe(0);
  expect(readdirSync(archive)).toEqual([NAME, `${NAME}.sha256`]);
  expect(fetchIt(NAME).code).toBe(0);
});

test('empty room in a segment takes none in the archive', () => {
  const size = 16 * 1024 ** 2;
  writeFileSync(join(cluster, 'pg_wal', NAME), Buffer.alloc(size));
  expect(archiveIt().code).toBe(0);
  const stat = statSync(join(archive, NAME));
  expect(stat.size).toBe(size);
  expect(stat.blocks * 512).toBeLessThan(size / 16);
});

test('a flipped byte, a missing hash and a segment that is needed end the recovery; an unknown one is the end of the log', () => {
  archiveIt();
  writeFileSync(join(archive, NAME), 'firsT');
  expect(fetchIt(NAME)).toMatchObject({
    code: 126,
    said: expect.stringContaining('its content is not what was archived'),
  });
  expect(existsSync(join(cluster, 'pg_wal', 'RECOVERYXLOG'))).toBe(false);
  rmSync(join(archive, `${NAME}.sha256`));
  expect(fetchIt(NAME)).toMatchObject({ code: 126, said: expect.stringContaining('its hash is missing') });
  rmSync(join(archive, NAME));
  expect(fetchIt(NAME, [NAME])).toMatchObject({ code: 126, said: expect.stringContaining('is needed') });
  expect(fetchIt(NAME)).toEqual({ code: 1, said: '' });
  rmSync(archive, { recursive: true });
  expect(fetchIt(NAME, [NAME]).code).toBe(126);
});

test('less free than the floor: a gap is declared once and PostgreSQL told to go on, until a good base backup', () => {
  const all = 2 ** 60;
  const first = archiveIt(all);
  expect(first.code).toBe(0);
  expect(first.said).toContain(`nothing is archived from ${NAME} on`);
  expect(readOpenGap(archive)).toMatchObject({ schema: 1, from: NAME, reason: 'disk' });
  expect(readdirSync(archive)).toEqual(['gap.json']);
  expect(archiveIt(0)).toEqual({ code: 0, said: '' });
  expect(readdirSync(archive)).toEqual(['gap.json']);
  // While one is made everything is archived, and yet the gap is there.
  liftGap(archive);
  expect(readOpenGap(archive)).toMatchObject({ from: NAME });
  expect(archiveIt(0).code).toBe(0);
  expect(existsSync(join(archive, NAME))).toBe(true);
  // It came to nothing.
  reopenGap(archive);
  expect(readdirSync(archive)).toContain('gap.json');
  expect(readOpenGap(archive)).toMatchObject({ from: NAME });
  liftGap(archive);
  const closed = closeGap(archive, '2026-11-21T00:00:00.000Z');
  expect(closed).toMatchObject({ from: NAME });
  expect(readOpenGap(archive)).toBeUndefined();
  expect(readGaps(archive)).toEqual([{ ...closed, until: '2026-11-21T00:00:00.000Z' }]);
});

test('a gap that was lifted for a backup that was killed is the first one still; one from the midst of a good one stays open', () => {
  declareGap(archive, { since: '2026-11-20T00:00:00Z', reason: 'off' });
  liftGap(archive);
  archiveIt(2 ** 60);
  liftGap(archive);
  expect(readGaps(archive)).toMatchObject([{ since: '2026-11-20T00:00:00Z' }]);
  archiveIt(2 ** 60);
  closeGap(archive, '2026-11-20T01:00:00Z');
  expect(readOpenGap(archive)).toMatchObject({ reason: 'disk' });
  expect(readGaps(archive)[0]).toMatchObject({ reason: 'off', until: '2026-11-20T01:00:00Z' });
});

test('a copy that cannot be made is tried again while the disk has room, and a gap where it has none', () => {
  rmSync(archive, { recursive: true });
  const failed = archiveIt();
  expect(failed.code).toBe(1);
  expect(failed.said).toContain('there is no folder');
  // Not even the gap can be written: PostgreSQL keeps what nobody would know to be missing.
  expect(archiveIt(2 ** 60)).toMatchObject({
    code: 1,
    said: expect.stringContaining('the gap cannot be written down'),
  });
  // A copy that was begun goes first: it may be what takes the room of the declaration.
  mkdirSync(join(archive, '.tmp-gap'), { recursive: true });
  writeFileSync(join(archive, `.tmp-${NAME}`), 'half');
  expect(archiveIt(2 ** 60).code).toBe(1);
  expect(readdirSync(archive)).toEqual(['.tmp-gap']);
});

test('while the server stops, a failure ends the archiver at once instead of three tries', () => {
  archiveIt();
  segment('other');
  serve('stopping');
  expect(archiveIt().code).toBe(130);
});

test('a stop that has lasted leaves the rest to the next start', () => {
  serve('stopping');
  expect(archiveIt().code).toBe(0);
  rmSync(join(archive, NAME));
  const before = new Date(Date.now() - 10_000);
  utimesSync(join(cluster, 'postmaster.pid'), before, before);
  const left = archiveIt();
  expect(left.code).toBe(130);
  expect(left.said).toContain(`${NAME} is left for the next start`);
  expect(existsSync(join(archive, NAME))).toBe(false);
});

test.runIf(process.geteuid?.() === 0)('works as any user, and its files are that user alone’s', () => {
  for (const path of [root, cluster, join(cluster, 'pg_wal'), archive]) chmodSync(path, 0o777);
  const script = join(root, 'archive-wal');
  writeFileSync(script, archiveScript({ archive, floor: 0 }));
  const run = spawnSync('sh', [script, `pg_wal/${NAME}`, NAME], {
    cwd: cluster,
    uid: 12_345,
    gid: 12_345,
    env: { PATH: process.env.PATH },
  });
  expect(run.status).toBe(0);
  expect(statSync(join(archive, NAME)).uid).toBe(12_345);
});
