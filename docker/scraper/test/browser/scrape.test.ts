// Whole attempts: a real Chromium, a real PostgreSQL, the site of 200 pages.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { treeOf } from '../../src/browser/tree.ts';
import { kindOf, type PageKind } from '../site/kinds.ts';
import { type Site, startSite } from '../site/site.ts';
import { startAttempt } from '../support/attempt.ts';
import { type Directory, startDirectory } from '../support/postgres.ts';

const base = mkdtempSync(join(tmpdir(), 'scraper-e2e-'));
const temporary = join(base, 'tmp');
let directory: Directory;
let site: Site;
let onAsk: (path: string) => void | Promise<void> = () => {};

before(async () => {
  mkdirSync(temporary);
  directory = await startDirectory();
  site = await startSite(0, (path) => {
    void onAsk(path);
    return false;
  });
  const { client } = directory;
  await client.query("INSERT INTO categories (id, slug, name_en, name_fr) VALUES (1, 'x', 'X', 'X')");
  await client.query(
    `INSERT INTO tools (id, name, slug, url, category_id, summary_en)
SELECT n, 'Tool ' || n, 'tool-' || n, $1 || '/page/' || n, 1, 'It does' FROM generate_series(1, 45) n`,
    [site.url],
  );
});
after(async () => {
  await directory?.stop();
  await site?.close();
  rmSync(base, { recursive: true, force: true });
});

const environment = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  DATABASE_URL: directory.url,
  BULKHEAD_DATA: base,
  TMPDIR: temporary,
  SCRAPER_ALLOW_PRIVATE: `127.0.0.1:${site.port}`,
  SCRAPER_PAGE_TIMEOUT: '30',
  ...more,
});
const run = (tool: number, more?: NodeJS.ProcessEnv) =>
  startAttempt('scrape', { tool }, environment(more)).ended;
const rowOf = async (tool: number) =>
  (
    await directory.client.query(
      'SELECT t.logo_path, t.screenshot_path, s.* FROM tools t LEFT JOIN tool_sites s ON s.tool_id = t.id WHERE t.id = $1',
      [tool],
    )
  ).rows[0];
const files = () =>
  ['logos', 'screenshots'].flatMap((kind) =>
    existsSync(join(base, 'assets', kind))
      ? readdirSync(join(base, 'assets', kind)).map((name) => `${kind}/${name}`)
      : [],
  );
const resultOf = (reports: { type: string; value?: unknown }[]) =>
  reports.find(({ type }) => type === 'result')?.value as Record<string, unknown> | undefined;
const pageOf = (kind: PageKind) => {
  for (let n = 1; n <= 45; n += 1) if (kindOf(n) === kind) return n;
  throw new Error(`no page is ${kind}`);
};

test('a good page is kept: words, logo, screenshot, with progress on the way', async () => {
  const { code, reports, output } = await run(2);
  assert.equal(code, 0, output);
  const row = await rowOf(2);
  assert.equal(row.title, 'Outil 2');
  assert.equal(row.description, 'L’outil numéro 2 & ce qu’il fait.');
  assert.equal(row.language, 'fr');
  assert.equal(row.url, `${site.url}/page/2`);
  assert.ok(row.visited_at instanceof Date);
  const shapes = [];
  for (const path of [row.logo_path, row.screenshot_path]) {
    const { format, width, height } = await sharp(readFileSync(join(base, 'assets', path))).metadata();
    shapes.push(`${format} ${width}x${height}`);
  }
  assert.deepEqual(shapes, ['webp 128x128', 'webp 1280x800']);
  const { outcome, assets, apiCalls, durationMs } = resultOf(reports) ?? {};
  assert.deepEqual([outcome, assets, apiCalls], ['kept', 2, 0]);
  assert.ok(Number(durationMs) > 0);
  const percents = reports.flatMap((one) => (one.type === 'progress' ? [one.percent ?? 0] : []));
  assert.deepEqual(
    percents,
    percents.toSorted((a, b) => a - b),
  );
  assert.equal(percents.at(-1), 100);
});

test('another visit of the same page leaves the same two files, and no litter', async () => {
  const earlier = files();
  assert.equal((await run(2)).code, 0);
  assert.deepEqual(files(), earlier);
  assert.deepEqual(readdirSync(temporary), []);
});

test('awful pages end as one failed attempt each, in words, and nothing stays behind', async () => {
  // Only where a page has to run into its limit is the limit short.
  const short = { SCRAPER_PAGE_TIMEOUT: '4' };
  const patient = { SCRAPER_PAGE_TIMEOUT: '60', SCRAPER_MAX_PAGE_MB: '5' };
  const expected: [PageKind, RegExp, NodeJS.ProcessEnv][] = [
    ['hang', /took longer than 4 s/, short],
    ['busy', /took longer than 4 s/, short],
    ['hungry', /out of memory: the page needs more than its browser may have/, patient],
    ['huge', /the page is too large/, patient],
    ['loop', /more than 5 redirects/, patient],
    ['scriptLoop', /more than 5 redirects/, patient],
    ['missing', /it answered 404/, patient],
  ];
  for (const [kind, words, limits] of expected) {
    const { code, output, reports } = await run(pageOf(kind), limits);
    assert.equal(code, 1, kind);
    assert.match(output.trim().split('\n').at(-1) ?? '', words, kind);
    assert.equal(resultOf(reports), undefined, kind);
    const row = await rowOf(pageOf(kind));
    assert.match(row.failure, words, kind);
    assert.deepEqual([row.failures, row.visited_at, row.screenshot_path], [1, null, null], kind);
  }
  assert.deepEqual(readdirSync(temporary), []);
});

test('the attempts of one day count as one failure, the next day as another', async () => {
  const page = pageOf('missing');
  await run(page);
  assert.equal((await rowOf(page)).failures, 1);
  await directory.client.query(
    "UPDATE tool_sites SET tried_at = now() - interval '1 day' WHERE tool_id = $1",
    [page],
  );
  await run(page);
  assert.equal((await rowOf(page)).failures, 2);
});

test('dialogs, new windows and downloads do not hinder', async () => {
  const { code, output } = await run(pageOf('dialogs'));
  assert.equal(code, 0, output);
  assert.equal((await rowOf(pageOf('dialogs'))).title, 'Dialogs');
});

test('a page that robots.txt forbids is not opened, and that is no failure', async () => {
  const page = pageOf('forbidden');
  const { code, reports } = await run(page);
  assert.equal(code, 0);
  assert.equal(resultOf(reports)?.outcome, 'unwelcome');
  assert.equal(resultOf(reports)?.assets, 0);
  assert.equal(site.asked.includes(`/page/${page}`), false);
  assert.match((await rowOf(page)).failure, /robots\.txt/);
});

test('a killed attempt takes its browser along, and the next one tidies up', async () => {
  const attempt = startAttempt('scrape', { tool: pageOf('hang') }, environment());
  await attempt.heard('browser started');
  const tree = treeOf(attempt.pid);
  assert.ok(tree.length > 3);
  for (const pid of tree.slice(1)) {
    assert.equal(readFileSync(`/proc/${pid}/environ`, 'latin1').includes('DATABASE_URL'), false);
    assert.equal(readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('postgres'), false);
  }
  // Only the program: the browser has to see by itself that nobody is there any more.
  process.kill(attempt.pid, 'SIGKILL');
  await attempt.ended;
  assert.equal(readdirSync(temporary).length, 1);
  while (tree.some((pid) => isAlive(pid))) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal((await run(1)).code, 0);
  assert.deepEqual(readdirSync(temporary), []);
  assert.equal(
    files().some((path) => path.endsWith('.tmp')),
    false,
  );
});

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('a tab or a browser that somebody kills is told as that', async () => {
  const isTab = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--type=renderer');
  for (const [victim, words] of [
    ['tab', /the tab was killed \(SIGKILL\)/],
    ['browser', /Chromium ended, killed by SIGKILL/],
  ] as const) {
    const page = pageOf('busy');
    const asked = new Promise<void>((resolve) => {
      onAsk = (path) => {
        if (path === `/page/${page}`) resolve();
      };
    });
    const attempt = startAttempt('scrape', { tool: page }, environment());
    await Promise.race([asked, attempt.ended]);
    const [, browser = 0, ...others] = treeOf(attempt.pid);
    for (const pid of victim === 'tab' ? others.filter(isTab) : [browser]) process.kill(pid, 'SIGKILL');
    const { code, output } = await attempt.ended;
    assert.equal(code, 1, victim);
    assert.match(output.trim().split('\n').at(-1) ?? '', words);
    assert.deepEqual(readdirSync(temporary), []);
  }
  onAsk = () => {};
});

test('who is asked to stop stops, and blames nobody', async () => {
  const tool = 3 + 40;
  assert.equal(kindOf(tool), 'hang');
  const attempt = startAttempt('scrape', { tool }, environment());
  await attempt.heard('browser started');
  const tree = treeOf(attempt.pid);
  process.kill(attempt.pid, 'SIGTERM');
  assert.equal((await attempt.ended).code, 143);
  assert.equal(tree.some(isAlive), false);
  assert.equal((await rowOf(tool)).tool_id, null);
  assert.deepEqual(readdirSync(temporary), []);
});

test('a deadline of the whole job is held, and a failure', async () => {
  const tool = pageOf('hang');
  const { code, output } = await run(tool, { SCRAPER_DEADLINE: '3', SCRAPER_PAGE_TIMEOUT: '3' });
  assert.equal(code, 1);
  assert.match(output, /not done within 3 s|took longer than 3 s/);
  assert.deepEqual(readdirSync(temporary), []);
});

test('a tool that is gone by then keeps nothing', async () => {
  onAsk = async (path) => {
    if (path === '/page/5') await directory.client.query('DELETE FROM tools WHERE id = 5');
  };
  const { code, output } = await run(5);
  onAsk = () => {};
  assert.equal(code, 1);
  assert.match(output, /cannot keep tool 5: it is gone/);
  assert.equal((await directory.client.query('SELECT FROM tool_sites WHERE tool_id = 5')).rowCount, 0);
});

test('Gemini writes where there is a key, and its failure is none of ours', async () => {
  const key = 'AIza-very-secret';
  let status = 500;
  const server = createServer((_request, response) => {
    const text = JSON.stringify({ en: 'Written.', fr: 'Écrit.' });
    response.writeHead(status).end(JSON.stringify({ candidates: [{ content: { parts: [{ text }] } }], key }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const more = {
    GEMINI_API_KEY: key,
    GEMINI_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
  const failed = await run(4, more);
  assert.equal(failed.code, 0, failed.output);
  assert.match(failed.output, /no description from Gemini: it answered 500/);
  assert.equal((await rowOf(4)).written_en, null);
  status = 200;
  const good = await run(4, more);
  server.close();
  const row = await rowOf(4);
  assert.deepEqual([row.written_en, row.written_fr], ['Written.', 'Écrit.']);
  for (const { output, reports } of [failed, good]) {
    assert.equal(`${output}${JSON.stringify(reports)}`.includes(key), false);
  }
});

test('scrape-all asks for what is stale, in bounds, and never twice a day', async () => {
  const all = async (batch: number) => {
    const { code, reports, output } = await startAttempt(
      'scrape-all',
      {},
      environment({ SCRAPER_BATCH: `${batch}` }),
    ).ended;
    assert.equal(code, 0, output);
    return reports.flatMap((one) => (one.type === 'enqueue' ? [one] : []));
  };
  const asked = await all(1000);
  const ids = asked.map(({ data }) => (data as { tool: number }).tool);
  assert.equal(new Set(ids).size, ids.length);
  const { rows } = await directory.client.query(
    'SELECT id FROM tools t WHERE NOT EXISTS (SELECT FROM tool_sites WHERE tool_id = t.id)',
  );
  assert.deepEqual(
    ids.toSorted((a, b) => a - b),
    rows.map(({ id }) => id).toSorted((a, b) => a - b),
  );
  assert.equal(new Set(asked.map(({ idempotencyKey }) => idempotencyKey)).size, asked.length);
  assert.deepEqual(asked, await all(1000));
  assert.equal((await all(2)).length, 2);
  const before = ids.length;
  await directory.client.query(
    "UPDATE tool_sites SET visited_at = now() - interval '31 days', tried_at = now() - interval '31 days' WHERE tool_id = 2",
  );
  await directory.client.query(
    `UPDATE tool_sites SET tried_at = now() - interval '49 hours' WHERE tool_id = ${pageOf('missing')}`,
  );
  assert.equal((await all(1000)).length, before + 2);
});

test('clean-assets removes what no tool shows, after a day, and never all of an empty directory', async () => {
  const kept = files();
  const logos = join(base, 'assets', 'logos');
  const old = Date.now() / 1000 - 90_000;
  const write = (name: string, time: number) => {
    writeFileSync(join(logos, name), 'x');
    utimesSync(join(logos, name), time, time);
  };
  write('999-0123456789abcdef.webp', old);
  write('998-0123456789abcdef.webp', Date.now() / 1000);
  write('by-hand.webp', old);
  const clean = (data: unknown) => startAttempt('clean-assets', data, environment()).ended;
  const dry = await clean({ dry_run: true });
  assert.equal(resultOf(dry.reports)?.files, 1, dry.output);
  assert.equal(files().length, kept.length + 3);
  assert.equal((await clean({})).code, 0);
  const left = [...kept, 'logos/998-0123456789abcdef.webp', 'logos/by-hand.webp'];
  assert.deepEqual(files().toSorted(), left.toSorted());
  await directory.client.query('DELETE FROM tools');
  const refused = await clean({});
  assert.equal(refused.code, 1);
  assert.match(refused.output, /the directory has no tools/);
});
