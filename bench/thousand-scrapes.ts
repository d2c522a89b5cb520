/**
 * Whether a thousand scrapes leave anything behind: the memory of PID 1, of the worker, of the API and of the app, open
 * files of PID 1, zombies and browsers that outlived their scrape, at every hundredth.
 *
 *   node bench/thousand-scrapes.ts [--scrapes=1000] [--at-once=2] [--every=100]
 *
 * Needs PostgreSQL's programs, Chromium, and what `npm run build` makes here, in docker/app and in docker/scraper; no
 * Docker. Ends 1 where a scrape failed for good, or where zombies or browsers were left at the end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { JobsStatus } from '../src/protocol/jobs.ts';
import { countOpenFiles, listDescendants } from '../test/support/descendants.ts';
import { freePorts, type Supervisor, startSupervisor } from '../test/support/supervisor.ts';
import { readOption } from './samples.ts';

const scrapes = readOption('scrapes', 1000);
const atOnce = readOption('at-once', 2);
const every = readOption('every', 100);

const ROOT = join(import.meta.dirname, '..');
const FLAGS = ['--max-semi-space-size=1', '--optimize-for-size', '--disable-sigusr1'];
const TOOLS = 150;
/** Enough that no browser waits for us. */
const WAITING = 10;

interface Sample {
  readonly done: number;
  readonly seconds: number;
  /** MB, by what it is. */
  readonly resident: Readonly<Record<(typeof PARTS)[number], number>>;
  readonly files: number;
  readonly zombies: number;
}

const PARTS = ['PID 1', 'worker', 'api', 'app'] as const;
const PROGRAMS = {
  worker: /program worker$/,
  api: /program api$/,
  app: /server\.js$|^next-server/,
} as const;

const folder = mkdtempSync(join(tmpdir(), 'bulkhead-scrapes-'));
// Services of other users have to get through.
chmodSync(folder, 0o755);
const [sitePort = 0, databasePort = 0, appPort = 0] = await freePorts(3);
const site = await startSite(sitePort);
try {
  await measure();
} finally {
  site.kill();
  rmSync(folder, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const url = `postgresql://video_ia_user:bench-password@localhost:${databasePort}/video_ia_net`;
  const isRoot = process.getuid?.() === 0;
  const user = isRoot ? 'nobody' : '';
  await using bulkhead = await startSupervisor({
    folder,
    plan: `version: 1
extends: ${join(ROOT, 'config/scraper.yaml')}
${isRoot ? 'queue: { user: nobody }\napi: { user: nobody }\n' : ''}`,
    // As docker/bulkhead starts it.
    command: [process.execPath, ...FLAGS, join(ROOT, 'dist/main.js'), 'up'],
    env: {
      MALLOC_ARENA_MAX: '1',
      DATABASE_URL: url,
      BULKHEAD_DB_PORT: String(databasePort),
      PORT: String(appPort),
      BULKHEAD_APP_DIR: join(ROOT, 'docker/app/.next/standalone'),
      BULKHEAD_SCRAPER_DIR: join(ROOT, 'docker/scraper/dist'),
      ...(isRoot ? { BULKHEAD_APP_USER: user, BULKHEAD_SCRAPER_USER: user } : {}),
      MAX_SCRAPER_CONCURRENT: String(atOnce),
      SCRAPER_ALLOW_PRIVATE: `127.0.0.1:${sitePort}`,
    },
  });
  await bulkhead.ready();
  const waited = await bulkhead.run('wait', 'api', 'worker', '--timeout', '60s');
  if (waited.code !== 0) throw new Error(waited.stderr + bulkhead.output());
  const tools = await addTools(url);
  const began = performance.now();
  const samples: Sample[] = [];
  const note = (done: number): void => {
    const sample = look(bulkhead, done, (performance.now() - began) / 1000);
    samples.push(sample);
    console.log(describe(sample));
  };
  note(0);
  let [next, noted] = [0, 0];
  let end = await endsOf(bulkhead);
  while (end.all < scrapes) {
    const missing = Math.min(WAITING - end.waiting, scrapes - next);
    for (let added = 0; added < missing; added += 1, next += 1) await add(bulkhead, tools[next % TOOLS] ?? 0);
    await sleep(500);
    await fetch(`http://127.0.0.1:${appPort}/`).then((answer) => answer.text());
    end = await endsOf(bulkhead);
    if (Math.floor(end.all / every) === noted) continue;
    noted = Math.floor(end.all / every);
    note(end.all);
  }
  // Whoever was last has ended; what is there now stays.
  await sleep(2000);
  note(end.all);
  report(samples, end, leftBrowsers(bulkhead));
}

/** A process of its own, and patient: what the internet does takes nothing from this machine. */
async function startSite(port: number): Promise<ChildProcess> {
  const site = spawn(process.execPath, [join(ROOT, 'docker/scraper/test/site/main.ts'), String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (site.pid !== undefined) setPriority(site.pid, 10);
  await once(site.stdout, 'data');
  return site;
}

/** A tool for each of the good pages. */
async function addTools(url: string): Promise<number[]> {
  const session = new pg.Client(url);
  await session.connect();
  await session.query(
    "INSERT INTO categories (slug, name_en, name_fr, symbol) SELECT 'bench', 'Bench', 'Banc', '*' WHERE NOT EXISTS (SELECT FROM categories)",
  );
  // Of each forty pages the first two are good.
  const { rows } = await session.query<{ id: number }>(
    `INSERT INTO tools (name, slug, url, category_id, summary_en)
     SELECT 'Page ' || n, 'page-' || n, 'http://127.0.0.1:${sitePort}/page/' || 1 + n % 2 || '?tool=' || n,
       (SELECT min(id) FROM categories), 'Of the bench'
     FROM generate_series(1, ${TOOLS}) n RETURNING id`,
  );
  await session.end();
  return rows.map(({ id }) => id);
}

async function ask(bulkhead: Supervisor, method: string, path: string, body?: unknown): Promise<Response> {
  const request = body === undefined ? {} : { body: JSON.stringify(body) };
  const token = readFileSync(join(bulkhead.dataDir, 'secrets/token'), 'utf8').trim();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return fetch(`http://127.0.0.1:${bulkhead.apiPort}${path}`, { method, headers, ...request });
}

async function add(bulkhead: Supervisor, tool: number): Promise<void> {
  const answer = await ask(bulkhead, 'POST', '/jobs/scrape', { data: { tool } });
  if (!answer.ok) throw new Error(`a job was not added: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

interface Ends {
  readonly all: number;
  readonly completed: number;
  readonly failed: number;
  /** Attempts, also those that were tried again. */
  readonly failedAttempts: number;
  readonly waiting: number;
}

async function endsOf(bulkhead: Supervisor): Promise<Ends> {
  const { byType } = (await (await ask(bulkhead, 'GET', '/jobs/status')).json()) as JobsStatus;
  const { counts, tally } = byType.scrape ?? {};
  const { completed = 0, failed = 0 } = tally?.finished ?? {};
  const failedAttempts = Object.values(tally?.failed ?? {}).reduce((sum, count) => sum + count, 0);
  const waiting = (counts?.created ?? 0) + (counts?.retry ?? 0);
  return { all: completed + failed, completed, failed, failedAttempts, waiting };
}

function look(bulkhead: Supervisor, done: number, seconds: number): Sample {
  const all = listDescendants(bulkhead.pid);
  const pidOf = (argv: RegExp): number => all.find((each) => argv.test(each.argv))?.pid ?? 0;
  return {
    done,
    seconds,
    resident: {
      'PID 1': residentOf(bulkhead.pid),
      worker: residentOf(pidOf(PROGRAMS.worker)),
      api: residentOf(pidOf(PROGRAMS.api)),
      app: residentOf(pidOf(PROGRAMS.app)),
    },
    files: countOpenFiles(bulkhead.pid),
    // A browser that dies right now is one for a moment.
    zombies: all.filter(({ state }) => state === 'Z').length,
  };
}

/** MB; NaN: there is no such process. */
function residentOf(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}

function leftBrowsers(bulkhead: Supervisor): readonly string[] {
  const processes = listDescendants(bulkhead.pid)
    .filter(({ argv }) => /chrom|scrape\.mjs/.test(argv))
    .map(({ pid, argv }) => `${pid} ${argv.slice(0, 60)}`);
  const folders = readdirSync(tmpdir()).filter((name) => {
    const [, pid] = /^scraper-(\d+)-/.exec(name) ?? [];
    return pid !== undefined && readText(`/proc/${pid}/stat`) === '';
  });
  return [...processes, ...folders];
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function describe({ done, seconds, resident, files, zombies }: Sample): string {
  const memory = PARTS.map((part) => `${part} ${resident[part].toFixed(1)}`).join(', ');
  return `${String(done).padStart(5)} scrapes, ${seconds.toFixed(0)} s: MB ${memory}; PID 1 has ${files} files; ${zombies} zombies`;
}

function report(samples: readonly Sample[], end: Ends, left: readonly string[]): void {
  const { completed, failed, failedAttempts } = end;
  const last = samples.at(-1);
  console.log(`${completed} completed, ${failed} failed for good, ${failedAttempts} attempts failed`);
  // What is loaded with the first ones is no growth.
  const later = samples.filter(({ done }) => done >= scrapes / 3);
  for (const part of PARTS) console.log(`${part}: ${slopeOf(later, part).toFixed(2)} KB for each scrape`);
  console.log(left.length === 0 ? 'nothing is left' : `LEFT: ${left.join('; ')}`);
  process.exitCode = failed > 0 || left.length > 0 || (last?.zombies ?? 0) > 0 ? 1 : 0;
}

/** By least squares, in KB. */
function slopeOf(samples: readonly Sample[], part: (typeof PARTS)[number]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const [x, y] = [mean(samples.map(({ done }) => done)), mean(samples.map((one) => one.resident[part]))];
  const over = samples.reduce((sum, one) => sum + (one.done - x) * (one.resident[part] - y), 0);
  const under = samples.reduce((sum, { done }) => sum + (done - x) ** 2, 0);
  return (1024 * over) / under;
}
