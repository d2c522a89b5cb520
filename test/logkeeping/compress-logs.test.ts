import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compressFile } from '../../src/logkeeping/compress-file.ts';
import { runCompressLogs } from '../../src/logkeeping/compress-logs.ts';
import type { Job } from '../../src/program/job.ts';
import type { CareWork } from '../../src/protocol/log-care.ts';

let data = '';
let logs = '';
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'bulkhead-keeping-'));
  logs = join(data, 'logs');
  mkdirSync(logs);
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const FILE = 'app-2026-11-20.log';
const never = new AbortController().signal;
const at = (name: string): string => join(logs, name);
const run = (work: Partial<CareWork>): Promise<void> =>
  runCompressLogs({
    assignment: {
      dataDir: data,
      input: { work: JSON.stringify({ remove: [], compress: [], adopt: [], ...work }) },
    },
    signal: never,
  } as unknown as Job);

describe('a file of a day that is over', () => {
  it('is compressed in its place, with its mode and time', async () => {
    writeFileSync(at(FILE), 'line\n'.repeat(1000));
    chmodSync(at(FILE), 0o640);
    const { mtimeMs } = statSync(at(FILE));
    await run({ compress: [FILE] });
    expect(readdirSync(logs)).toEqual([`${FILE}.gz`]);
    expect(gunzipSync(readFileSync(at(`${FILE}.gz`))).toString()).toBe('line\n'.repeat(1000));
    const after = statSync(at(`${FILE}.gz`));
    expect(after.mode & 0o777).toBe(0o640);
    expect(Math.abs(after.mtimeMs - mtimeMs)).toBeLessThan(1);
  });

  it('is whole, compressed or not, wherever the program was killed', async () => {
    const text = Array.from({ length: 400_000 }, (_, line) => `${line} ${Math.sin(line)}\n`).join('');
    writeFileSync(at(FILE), text);
    const source = join(import.meta.dirname, '../../src/logkeeping/compress-file.ts');
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { compressFile } = await import(${JSON.stringify(source)}); await compressFile(${JSON.stringify(logs)}, ${JSON.stringify(FILE)}, new AbortController().signal);`,
      ],
      { stdio: 'ignore' },
    );
    const begun = new Promise<void>((resolve) => {
      const watcher = watch(logs, () => {
        watcher.close();
        resolve();
      });
    });
    await begun;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    expect(readdirSync(logs).sort()).toEqual([`.${FILE}.gz.tmp`, FILE]);
    expect(readFileSync(at(FILE), 'utf8') === text).toBe(true);
    await compressFile(logs, FILE, never);
    expect(readdirSync(logs)).toEqual([`${FILE}.gz`]);
    expect(gunzipSync(readFileSync(at(`${FILE}.gz`))).toString() === text).toBe(true);
  });

  it('goes where the compressed one was there already, the program killed before it could remove it', async () => {
    writeFileSync(at(FILE), 'text\n');
    writeFileSync(at(`${FILE}.gz`), gzipSync('text\n'));
    await run({ compress: [FILE] });
    expect(readdirSync(logs)).toEqual([`${FILE}.gz`]);
  });

  it.each([
    ['something else', gzipSync('other text\n')],
    ['half of it', gzipSync('text\n').subarray(0, 12)],
  ])('stays where %s has the name of the compressed one', async (_what, there) => {
    writeFileSync(at(FILE), 'text\n');
    writeFileSync(at(`${FILE}.gz`), there);
    await expect(run({ compress: [FILE] })).rejects.toThrow(`${FILE}.gz is there, and is not the same`);
    expect(readFileSync(at(FILE), 'utf8')).toBe('text\n');
    expect(readFileSync(at(`${FILE}.gz`)).equals(there)).toBe(true);
  });

  it('that is a link is left alone', async () => {
    writeFileSync(join(data, 'precious'), 'precious');
    symlinkSync(join(data, 'precious'), at(FILE));
    await run({ compress: [FILE] });
    expect(existsSync(at(`${FILE}.gz`))).toBe(false);
  });

  it('that fails keeps no other from being done', async () => {
    for (const name of [FILE, 'web-2026-11-20.log']) writeFileSync(at(name), 'text\n');
    writeFileSync(at(`${FILE}.gz`), 'no gzip');
    await expect(run({ compress: [FILE, 'web-2026-11-20.log'], remove: ['gone.log'] })).rejects.toThrow(FILE);
    expect(existsSync(at('web-2026-11-20.log.gz'))).toBe(true);
  });
});

describe('a file of all days, as they once were', () => {
  const line = (time: string, text: string): string => `${time} stdout F ${text}\n`;

  it('gets the name of the day of its last line, the older the higher its number', async () => {
    writeFileSync(
      at('app.log'),
      line('2026-11-19T00:00:00.000Z', 'b') + line('2026-11-20T10:00:00.000Z', 'c'),
    );
    writeFileSync(at('app.log.1'), line('2026-11-20T01:00:00.000Z', 'a'));
    writeFileSync(at('app-2026-11-20.log'), line('2026-11-20T11:00:00.000Z', 'd'));
    await run({ adopt: ['app.log', 'app.log.1'] });
    expect(readdirSync(logs).sort()).toEqual([
      'app-2026-11-20.log',
      'app-2026-11-20.log.1',
      'app-2026-11-20.log.2',
    ]);
    expect(readFileSync(at('app-2026-11-20.log.2'), 'utf8')).toContain(' a\n');
  });

  it('stays where its lines are none of ours', async () => {
    writeFileSync(at('app.log'), 'somebody else wrote this\n');
    await run({ adopt: ['app.log'] });
    expect(readdirSync(logs)).toEqual(['app.log']);
  });
});
