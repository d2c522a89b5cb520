/**
 * Whether scraping hurts the app: 50 requests a second to it, without scraping and then with it at full concurrency, of
 * a site of 200 pages of which some hang, some are 50 MB, some eat memory; every twentieth attempt is killed with its
 * browser. The same beside it in the shape of before: the scraper inside the app's own process.
 *
 *   node bench/scrape-under-load.ts [--minutes=10] [--rate=50] [--memory=4] [--kill-every=20] [--old=1]
 *
 * Needs Docker, root, and both images of `npm run test:image`. --old=0 leaves the old shape out. Ends 1 where a request
 * to Bulkhead's app failed, or its p95 is 25 ms above the one without scraping, or above 200 ms.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import {
  docker,
  freePorts,
  makeVolume,
  runContainer,
  SCRAPER_IMAGE,
  waitFor,
} from '../test/image/container.ts';
import { TOKEN } from '../test/image/jobs.ts';
import { keepScraping } from './job-load.ts';
import { percentileOf, readOption } from './samples.ts';
import { askSteadily, type Requests } from './steady-requests.ts';
import { mustDocker } from './subjects.ts';

const minutes = readOption('minutes', 10);
const rate = readOption('rate', 50);
const memory = readOption('memory', 4);
const killEvery = readOption('kill-every', 20);
const withOld = readOption('old', 1) !== 0;

const ROOT = join(import.meta.dirname, '..');
const OLD_IMAGE = 'bulkhead-bench:in-process';
const PAGES = 200;
/** As people use it: lists, searches, single pages, the API. */
const PATHS = [
  '/',
  '/?q=video',
  '/api/tools?q=chat',
  '/?page=3',
  '/tools/page-1',
  '/api/tools',
  '/api/health',
];

interface Measured {
  readonly alone: Requests;
  readonly together: Requests;
  readonly told: string;
}

/** Browsers at once: the plan's own choice, and as many in the other shape. */
let atOnce = 0;
const { site, port: sitePort } = await startSite();
try {
  const ours = await measure('bulkhead');
  report('scrapes as jobs of their own (Bulkhead)', ours);
  if (withOld) {
    await buildOld();
    report("scrapes inside the app's process", await measure('old'));
  }
  const [alone, together] = [ours.alone, ours.together].map(({ latencies }) => percentileOf(latencies, 95));
  const holds =
    ours.together.failed.size === 0 &&
    together !== undefined &&
    together < 200 &&
    together - (alone ?? 0) < 25;
  console.log(holds ? 'it holds' : 'IT DOES NOT HOLD');
  process.exitCode = holds ? 0 : 1;
} finally {
  site.kill();
}

/** A process of its own, and patient: what the internet does takes nothing from this machine. */
async function startSite(): Promise<{ site: ChildProcess; port: number }> {
  const { app: port } = await freePorts();
  const site = spawn(process.execPath, [join(ROOT, 'docker/scraper/test/site/main.ts'), String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (site.pid !== undefined) setPriority(site.pid, 10);
  await once(site.stdout, 'data');
  return { site, port };
}

async function buildOld(): Promise<void> {
  const file = join(ROOT, 'bench/containers/in-process/Dockerfile');
  const argument = ['--build-arg', `BULKHEAD_IMAGE=${SCRAPER_IMAGE}`];
  await mustDocker(['build', '-q', '--network', 'host', ...argument, '-f', file, '-t', OLD_IMAGE, ROOT]);
}

async function measure(shape: 'bulkhead' | 'old'): Promise<Measured> {
  const volume = await makeVolume();
  const container = await runContainer({
    image: shape === 'old' ? OLD_IMAGE : SCRAPER_IMAGE,
    volume,
    env: {
      BULKHEAD_TOKEN: TOKEN,
      SCRAPER_ALLOW_PRIVATE: `127.0.0.1:${sitePort}`,
      IN_PROCESS_AT_ONCE: String(atOnce),
      IN_PROCESS_KILL_EVERY: String(killEvery),
      IN_PROCESS_SITE: `http://127.0.0.1:${sitePort}`,
    },
    args: ['--memory', `${memory}g`, '--shm-size', '1g'],
  });
  try {
    await container.ready();
    const tools = await addTools(container.sql);
    const load = (seconds: number) => askSteadily(container.ports.app, PATHS, { perSecond: rate, seconds });
    // The first visitors load the routes; that is no answer to the question.
    await load(5);
    const alone = await load(Math.max(10, minutes * 12));
    const stop = new AbortController();
    const scraping =
      shape === 'old'
        ? scrapeInProcess(container.ports.api, stop.signal)
        : keepScraping(container, tools, killEvery, stop.signal).then(
            ({ added, seen, killed, status: { counts, byType } }) => {
              atOnce = byType.scrape?.concurrency ?? 1;
              return `${added} jobs added, ${seen} attempts, ${killed} killed; ${counts.completed} completed, ${counts.failed} failed, ${counts.retry} to be tried again, ${atOnce} at once`;
            },
          );
    const together = await load(minutes * 60);
    stop.abort();
    const told = await scraping;
    const zombies = await countZombies(container.name);
    return { alone, together, told: `${told}; ${zombies} zombies` };
  } finally {
    await container.remove();
    await docker(['volume', 'rm', '-f', volume]);
  }
}

/** A tool for each page of the site. */
async function addTools(sql: (statement: string) => Promise<string>): Promise<number[]> {
  const ids = await sql(
    `INSERT INTO tools (name, slug, url, category_id, summary_en)
     SELECT 'Page ' || n, 'page-' || n, 'http://127.0.0.1:${sitePort}/page/' || n, (SELECT min(id) FROM categories), 'Of the bench'
     FROM generate_series(1, ${PAGES}) n RETURNING id`,
  );
  return ids.split('\n').map(Number);
}

/** The app's process begins when it is told to, and says what it did when it is told to stop. */
async function scrapeInProcess(port: number, signal: AbortSignal): Promise<string> {
  const tell = async (path: string): Promise<string> => {
    try {
      return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    } catch {
      return 'nobody answers any more';
    }
  };
  await waitFor('the scraper inside the app', async () => (await tell('/start')) === 'started');
  await once(signal, 'abort');
  return tell('/stop');
}

async function countZombies(name: string): Promise<number> {
  const { stdout } = await docker(['exec', name, 'bash', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null']);
  return stdout.split('\n').filter((line) => /^\d+ \(.*\) Z /.test(line)).length;
}

function report(what: string, { alone, together, told }: Measured): void {
  console.log(`${what}\n  ${told}`);
  for (const [when, { sent, failed, latencies }] of [
    ['without scraping', alone],
    ['with scraping', together],
  ] as const) {
    const spread = [50, 95, 99, 100].map((p) => `p${p} ${percentileOf(latencies, p)?.toFixed(1) ?? '–'} ms`);
    const sum = [...failed.values()].reduce((total, count) => total + count, 0);
    const how = [...failed].map(([why, count]) => `${count} × ${why}`).join(', ');
    console.log(`  ${when}: ${sent} requests, ${sum} failed${how && ` (${how})`}; ${spread.join(', ')}`);
  }
}
