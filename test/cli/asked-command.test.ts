import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Failure } from '../../src/base/errors.ts';
import { runAskedCommand } from '../../src/cli/asked-command.ts';
import type { Doors } from '../../src/cli/command.ts';
import type { Assignment, Report } from '../../src/protocol/channel.ts';

const config = join(import.meta.dirname, '../../config');
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync('/tmp/asked-');
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

async function run(input: Record<string, string>, doors: Doors = {}) {
  const reports: Report[] = [];
  let code = 0;
  const env = { BULKHEAD_DATA: dataDir, BULKHEAD_CONFIG: config, NEXTAUTH_URL: 'http://localhost' };
  await runAskedCommand(
    {
      assignment: { input, dataDir, command: { argv: [], env, timeout: undefined } } as unknown as Assignment,
      signal: new AbortController().signal,
      report: (report) => reports.push(report),
      endWith: (ended) => {
        code = ended;
      },
    },
    doors,
  );
  return { reports, code };
}

test('a command answers as it does with --json, with the environment it was given', async () => {
  const { reports, code } = await run({ command: 'config check' });
  expect(code).toBe(0);
  expect(reports).toEqual([
    { type: 'result', value: expect.objectContaining({ schemaVersion: 1, ok: true }) },
  ]);
});

test('of many lines of a log it answers with the newest, and with no more than a megabyte or two', async () => {
  const wide = 'x'.repeat(60_000);
  const stored = Array.from(
    { length: 100 },
    (_, number) => `2026-01-01T00:00:00.000Z stdout F ${number} ${wide}\n`,
  );
  mkdirSync(join(dataDir, 'logs'));
  writeFileSync(join(dataDir, 'logs', 'app.log'), stored.join(''));
  const { reports } = await run({ command: 'logs', options: '{"grep":"x"}', keep: '1000' });
  const lines = reports.flatMap((report) =>
    report.type === 'result' ? [report.value as { line: string }] : [],
  );
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.length).toBeLessThan(20);
  expect(lines.at(-1)?.line).toMatch(/^99 /);
});

test('a search over HTTP is for a text, not for an expression: none takes longer than reading', async () => {
  mkdirSync(join(dataDir, 'logs'));
  const said = ['a quite usual line of a log, as every service writes', 'it said ^(.+)+\\x01$ {7}'];
  const stored = said.map((line) => `2026-01-01T00:00:00.000Z stdout F ${line}\n`);
  writeFileSync(join(dataDir, 'logs', 'app.log'), stored.join(''));
  const search = async (grep: string) =>
    (await run({ command: 'logs', options: JSON.stringify({ grep }), keep: '9' })).reports.flatMap(
      (report) => (report.type === 'result' ? [(report.value as { line: string }).line] : []),
    );
  expect(await search('^(.+)+\\x01$ {7}')).toEqual([said[1]]);
  expect(await search('usual.line')).toEqual([]);
  expect(await search('usual line')).toEqual([said[0]]);
});

test('what it refuses is a failure with its exit code', async () => {
  const { reports, code } = await run({ command: 'config diff', words: '["core","nothing"]' });
  expect([code, reports]).toEqual([
    6,
    [
      expect.objectContaining({
        type: 'failure',
        message: expect.stringContaining('cannot use this configuration'),
      }),
    ],
  ]);
});

test.each([
  [{ command: 'exec', words: '["app","id"]' }],
  [{ command: 'up' }],
  [{ command: 'db psql' }],
  [{ command: 'token create', words: '["x"]' }],
  [{ command: 'constructor' }],
  [{ command: 'doctor', options: '{"config":"/etc/shadow"}' }],
  [{ command: 'doctor', words: '["x"]' }],
  [{ command: 'backup list', options: '{"kind":7}' }],
  [{ command: 'backup restore', words: '["/etc/passwd"]', options: '{"yes":true}' }],
  [{ command: 'backup restore', words: '["./dump"]' }],
  [{ command: 'backup restore', words: '["--replace"]' }],
  [{ command: 'db import', words: '["../secrets/token"]' }],
  [{ command: 'db import', words: '["..",".hidden"]' }],
])('%j is not for the API', async (input) => {
  await expect(run(input)).rejects.toThrow(/it is not for the API/);
});

test('the name of a backup is no file of where this process happens to be', async () => {
  const asked: unknown[] = [];
  const alone: Doors['alone'] = () =>
    Promise.resolve({
      run: (program, input) => {
        asked.push([program, input.backup]);
        return Promise.reject(new Failure('cannot restore: seen'));
      },
      close: () => undefined,
    });
  // It lies there.
  const { code } = await run({ command: 'backup restore', words: '["package.json"]' }, { alone });
  expect([code, asked]).toEqual([1, [['restore', 'package.json']]]);
});
