import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { bulkhead, startSupervisor } from '../support/supervisor.ts';

const followers: ChildProcess[] = [];
afterEach(() => {
  for (const follower of followers.splice(0)) follower.kill('SIGKILL');
});

/** `bulkhead …`, which follows; what it printed so far. */
function follow(dataDir: string, ...args: string[]): () => string {
  const child = spawn(process.execPath, [bulkhead, ...args, '--data', dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  followers.push(child);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return () => text;
}

const PLAN = `
version: 1
services:
  app: { command: [sh, -c, 'echo started; exec sleep 1000'] }
  ticker: { command: [sh, -c, 'n=0; while :; do n=$$((n+1)); echo tick $$n; echo noise; sleep 0.02; done'] }
`;

test('the event log is rotated while somebody follows it: no number is missing, and the next boot goes on counting', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-scenario-'));
  const path = join(folder, 'data', 'bulkhead', 'events.ndjson');
  try {
    mkdirSync(join(folder, 'data', 'bulkhead'), { recursive: true });
    // Nearly full, and its last line torn by a crash.
    const old = `${JSON.stringify({ seq: 4711, at: new Date().toISOString(), type: 'noted', text: 'x'.repeat(200) })}\n`;
    writeFileSync(path, `${old.repeat(Math.floor((1024 * 1024 - 3000) / old.length))}{"seq":4712,"at`);
    const numbersIn = (text: string): number[] =>
      [...text.matchAll(/^\{"seq":(\d+),.*\}$/gm)].map(([, seq]) => Number(seq));
    let last = 0;
    {
      await using supervisor = await startSupervisor({ folder, plan: PLAN });
      await supervisor.ready();
      const followed = follow(supervisor.dataDir, 'events', '-f', '--json');
      for (let count = 0; count < 40 && !existsSync(`${path}.1`); count += 1)
        await supervisor.run('restart', 'app');
      expect(existsSync(`${path}.1`)).toBe(true);
      await supervisor.run('restart', 'app');
      await expect.poll(() => numbersIn(followed()).length, { timeout: 5000 }).toBeGreaterThan(20);
      const seen = numbersIn(followed());
      expect(seen).toEqual(seen.map((_, at) => 4712 + at));
      await supervisor.stop();
      const kept = numbersIn(`${readFileSync(`${path}.1`, 'utf8')}${readFileSync(path, 'utf8')}`).filter(
        (seq) => seq > 4711,
      );
      expect(kept).toEqual(kept.map((_, at) => 4712 + at));
      expect(kept.length).toBeGreaterThanOrEqual(seen.length);
      last = kept.at(-1) ?? 0;
    }
    await using again = await startSupervisor({ folder, plan: PLAN });
    await again.ready();
    const { stdout } = await again.run('events', '--json');
    expect(numbersIn(stdout)[0]).toBe(last + 1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('logs -f --since --grep goes on when the file of a service is rotated, and what was rotated away is still found', async () => {
  await using supervisor = await startSupervisor({ plan: PLAN });
  await supervisor.ready();
  const followed = follow(
    supervisor.dataDir,
    'logs',
    '-f',
    'ticker',
    '--since',
    '1h',
    '--grep',
    '^tick',
    '--json',
  );
  await expect.poll(followed, { timeout: 5000 }).toContain('tick 5"');
  const path = join(supervisor.dataDir, 'logs', `ticker-${new Date().toISOString().slice(0, 10)}.log`);
  renameSync(path, `${path}.1`);
  supervisor.kill('SIGUSR2');
  await expect.poll(() => existsSync(path), { timeout: 5000 }).toBe(true);
  const ticks = (text: string): number[] =>
    [...text.matchAll(/"tick (\d+)"/g)].map(([, tick]) => Number(tick));
  const before = ticks(followed()).at(-1) ?? 0;
  await expect.poll(() => ticks(followed()).at(-1), { timeout: 5000 }).toBeGreaterThan(before + 20);
  const seen = ticks(followed());
  expect(seen).toEqual(seen.map((_, at) => 1 + at));
  expect(followed()).not.toContain('noise');
  await supervisor.stop();
  // Nobody runs any more: both files are read.
  const { stdout } = await supervisor.run('logs', 'ticker', '--since', '1h', '--grep', '^tick', '--json');
  expect(ticks(stdout)).toEqual(ticks(stdout).map((_, at) => 1 + at));
  expect(ticks(stdout).length).toBeGreaterThanOrEqual(seen.length);
});

test('at boot old logs are named, compressed and deleted by a program of its own; nothing else is touched, and all of it is read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-scenario-'));
  const logs = join(folder, 'data', 'logs');
  const daysAgo = (days: number): string =>
    new Date(Date.now() - days * 24 * 3600 * 1000).toISOString().slice(0, 10);
  const line = (days: number, text: string): string => `${daysAgo(days)}T12:00:00.000Z stdout F ${text}\n`;
  try {
    mkdirSync(logs, { recursive: true });
    writeFileSync(join(logs, `app-${daysAgo(40)}.log`), line(40, 'too old'));
    writeFileSync(join(logs, `app-${daysAgo(2)}.log`), line(2, 'two days ago'));
    writeFileSync(join(logs, `.app-${daysAgo(2)}.log.gz.tmp`), 'half');
    writeFileSync(join(logs, 'app.log'), line(3, 'three days ago'));
    writeFileSync(join(logs, 'nginx.log'), 'of somebody else');
    writeFileSync(join(logs, `mine-${daysAgo(90)}.txt`), 'of somebody else');
    await using supervisor = await startSupervisor({ folder, plan: PLAN });
    await supervisor.ready();
    await supervisor.says('older than 30 days');
    const today = daysAgo(0);
    const expected = [
      `app-${daysAgo(2)}.log.gz`,
      `app-${daysAgo(3)}.log.1.gz`,
      `app-${today}.log`,
      `bulkhead-${today}.log`,
      `mine-${daysAgo(90)}.txt`,
      'nginx.log',
      `ticker-${today}.log`,
    ].sort();
    await expect.poll(() => readdirSync(logs).sort(), { timeout: 10_000 }).toEqual(expected);
    const ask = async (...more: string[]) =>
      (await supervisor.run('logs', 'app', '--no-prefix', ...more)).stdout;
    expect(await ask('--since', '4d')).toBe('three days ago\ntwo days ago\nstarted\n');
    expect(await ask('--grep', 'two')).toBe('two days ago\n');
    await supervisor.stop();
    expect(await ask('--since', '4d')).toBe('three days ago\ntwo days ago\nstarted\n');
    expect(await ask('--tail', '2')).toBe('two days ago\nstarted\n');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a flood is cut by size, reopened in the middle, and kept whole; above the cap the oldest go, and it is said', async () => {
  const lines = 120_000;
  await using supervisor = await startSupervisor({
    plan: `
version: 1
logs: { max_file: 1m, max_total: 6m }
services:
  calm: { command: [sh, -c, 'until [ -e {folder}/begin ]; do sleep 0.05; done; seq -f "calm line %07.0f xxxxxxxxxxxxxxxxxxxxxx" 60000; echo calm is over; exec sleep 1000'] }
  flood: { command: [sh, -c, 'until [ -e {folder}/go ]; do sleep 0.05; done; seq -f "flood line %07.0f xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" ${lines}; echo over; exec sleep 1000'] }
`,
  });
  const logs = join(supervisor.dataDir, 'logs');
  await supervisor.ready();
  mkdirSync(join(supervisor.folder, 'begin'));
  const reopenAndRead = (): string => {
    supervisor.kill('SIGUSR2');
    return supervisor.log('calm');
  };
  await expect.poll(reopenAndRead, { timeout: 10_000, interval: 5 }).toContain('calm is over');
  const calm = supervisor.log('calm').match(/calm line \d+/g) ?? [];
  expect(calm).toHaveLength(60_000);
  expect(calm.every((line, at) => line === `calm line ${String(at + 1).padStart(7, '0')}`)).toBe(true);
  const parts = readdirSync(logs).filter((file) => file.startsWith('calm-'));
  expect(parts.length).toBeGreaterThan(2);
  for (const file of parts) expect(statSync(join(logs, file)).size).toBeLessThanOrEqual(1024 * 1024);

  mkdirSync(join(supervisor.folder, 'go'));
  await supervisor.says('(logs.max_total), and the oldest go first');
  await expect.poll(() => supervisor.log('flood'), { timeout: 10_000 }).toMatch(/ over\n$/);
  const total = (): number =>
    readdirSync(logs).reduce(
      (sum, file) => sum + (statSync(join(logs, file), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  await expect.poll(total, { timeout: 10_000 }).toBeLessThan(6 * 1024 * 1024);
  // What is left ends with the last line, and has no gap.
  const left = (supervisor.log('flood').match(/flood line \d+/g) ?? []).map((line) => Number(line.slice(11)));
  expect(left.at(-1)).toBe(lines);
  expect(left).toEqual(left.map((_, at) => lines - left.length + 1 + at));
});
