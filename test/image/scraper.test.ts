/** Tier scraper as a whole: its programs, a scrape from the API to the app's page, and what happens when things die. */
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JobList, JobsStatus } from '../../src/protocol/jobs.ts';
import {
  type Container,
  isApp,
  isPostmaster,
  makeVolume,
  runContainer,
  SCRAPER_IMAGE,
  useContainers,
  waitFor,
} from './container.ts';
import {
  addJob,
  addTool,
  askApi,
  endOf,
  findJob,
  isBrowser,
  ofBrowsers,
  openSite,
  runScraper,
  type Site,
  TOKEN,
} from './jobs.ts';

useContainers();

let site: Site;
let volume: string;
let container: Container;
beforeAll(async () => {
  site = await openSite();
  volume = await makeVolume();
  // As the Compose file: time enough to put jobs back also on a busy machine.
  const patient = { args: ['--stop-timeout', '30'], env: { BULKHEAD_STOP_TIMEOUT: '25s' } };
  container = await runScraper(site, { volume, ...patient });
  await container.ready();
});
afterAll(() => site.stop());

it('boots to ready with all its programs, each as its own user', async () => {
  const found = await container.processes();
  const uidOf = (isIt: (one: (typeof found)[number]) => boolean) => found.find(isIt)?.uid;
  expect(uidOf(isPostmaster)).toBe(999);
  expect(uidOf(isApp)).toBe(1001);
  expect(uidOf(({ argv }) => /program worker$/.test(argv))).toBe(1003);
  expect(uidOf(({ argv }) => /program api$/.test(argv))).toBe(1003);
  expect(found.filter(ofBrowsers)).toEqual([]);
  expect((await askApi<JobsStatus>(container, 'GET', '/jobs/status')).store).toMatchObject({
    kind: 'postgres',
    durability: 'durable',
  });
});

it('answers nobody off the loopback without the token', async () => {
  const [outside] = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal);
  if (outside === undefined) throw new Error('this machine has no address but the loopback');
  const ask = async (path: string, token?: string): Promise<number> => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await fetch(`http://${outside.address}:${container.ports.api}${path}`, { headers })).status;
  };
  for (const path of ['/jobs/status', '/jobs', '/api/openapi.json']) expect(await ask(path), path).toBe(401);
  expect(await ask('/jobs/status', 'a-guess-0123456789')).toBe(401);
  expect(await ask('/jobs/status', TOKEN)).toBe(200);
});

it('scrapes a site: the row, the images as files of the scraper, and the app shows them', async () => {
  const tool = await addTool(container, site, '/good');
  const job = await endOf(container, await addJob(container, 'scrape', { tool }));
  expect(job).toMatchObject({ state: 'completed', attempts: 1, result: { outcome: 'kept' } });
  expect(await container.sql(`SELECT title FROM tool_sites WHERE tool_id = ${tool}`)).toBe('Tool good');
  const [logo, screenshot] = (
    await container.sql(`SELECT logo_path, screenshot_path FROM tools WHERE id = ${tool}`)
  ).split('|');
  for (const path of [logo, screenshot]) {
    expect((await container.exec(['stat', '-c', '%u %a', `/data/assets/${path}`])).stdout.trim()).toBe(
      '1002 644',
    );
    const shown = await fetch(`http://127.0.0.1:${container.ports.app}/assets/${path}`);
    expect(shown.headers.get('content-type')).toBe('image/webp');
    expect(Buffer.from(await shown.arrayBuffer()).toString('latin1', 8, 12)).toBe('WEBP');
  }
});

it('lists it on the command line', async () => {
  const { stdout } = await container.exec(['bulkhead', 'job', 'list', '--json']);
  const { jobs }: JobList = JSON.parse(stdout);
  expect(jobs.map(({ type, state }) => `${type} ${state}`)).toEqual(['scrape completed']);
});

it('keeps its secrets from whoever is the same user, and its browser from everything else', async () => {
  site.gate.close();
  const before = site.slowVisits();
  const tool = await addTool(container, site, '/slow-looked-into');
  const job = await addJob(container, 'scrape', { tool });
  await waitFor('the visit', async () => site.slowVisits() > before, container);
  const processes = await container.processes();
  const scraper = processes.find(({ argv }) => /node \S*scrape\.mjs/.test(argv));
  const browser = processes.find(isBrowser);
  expect([scraper?.uid, browser?.uid]).toEqual([1002, 1002]);
  const asScraper = 'setpriv --reuid=1002 --regid=1002 --clear-groups --inh-caps=-all --bounding-set=-all';
  const opens = async (path: string): Promise<boolean> =>
    (await container.exec(['bash', '-c', `${asScraper} bash -c 'exec 9<${path}'`])).code === 0;
  // The trial can see something: a browser's environment is open, and has nothing in it.
  expect(await opens(`/proc/${browser?.pid}/environ`)).toBe(true);
  for (const file of ['environ', 'mem', 'maps'])
    expect(await opens(`/proc/${scraper?.pid}/${file}`), file).toBe(false);
  site.gate.open();
  expect(await endOf(container, job)).toMatchObject({
    state: 'completed',
    result: { assets: 2, apiCalls: 0 },
  });
  expect(await container.logs()).toContain('with Chromium outside its sandbox, held by Landlock: ');
});

it('a kill -9 of the browser costs one attempt', async () => {
  site.gate.close();
  const before = site.slowVisits();
  const job = await addJob(container, 'scrape', { tool: await addTool(container, site, '/slow-killed') });
  await waitFor('the visit', async () => site.slowVisits() > before, container);
  const browser = (await container.processes()).find(isBrowser);
  await container.exec(['bash', '-c', `kill -9 ${browser?.pid}`]);
  site.gate.open();
  expect(await endOf(container, job)).toMatchObject({ state: 'completed', attempts: 2 });
});

it('stopped under active jobs it ends 0, and they run after the next start as if never begun', async () => {
  site.gate.close();
  const before = site.slowVisits();
  const tools = [await addTool(container, site, '/slow-1'), await addTool(container, site, '/slow-2')];
  const jobs = await Promise.all(tools.map((tool) => addJob(container, 'scrape', { tool })));
  await waitFor('both visits', async () => site.slowVisits() >= before + 2, container);
  expect(await container.stop()).toBe(0);
  site.gate.open();
  await container.start();
  await container.ready();
  for (const job of jobs) {
    const ended = await endOf(container, job);
    expect(ended, await container.logs()).toMatchObject({ state: 'completed', attempts: 1 });
  }
});

it('leaves no browser, no zombie and no file behind', async () => {
  await waitFor(
    'the browsers to be gone',
    async () => !(await container.processes()).some(ofBrowsers),
    container,
  );
  const { stdout } = await container.exec(['bash', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null']);
  expect(stdout.split('\n').filter((line) => /^\d+ \(.*\) Z /.test(line))).toEqual([]);
  const left = await container.exec(['bash', '-c', 'ls -d /tmp/scraper-* /data/assets/*/.*.tmp 2>/dev/null']);
  expect(left.stdout).toBe('');
});

it('goes down to tier core and up again on the same volume, and loses nothing', async () => {
  const { jobs: before } = await askApi<JobList>(container, 'GET', '/jobs');
  const screenshot = await container.sql(
    'SELECT screenshot_path FROM tools WHERE screenshot_path IS NOT NULL LIMIT 1',
  );
  expect(await container.stop()).toBe(0);
  const core = await runContainer({ volume });
  await core.ready();
  expect((await fetch(`http://127.0.0.1:${core.ports.app}/assets/${screenshot}`)).status).toBe(200);
  expect((await core.processes()).filter(({ argv }) => /program (worker|api)$/.test(argv))).toEqual([]);
  expect(await core.stop()).toBe(0);
  await container.start();
  await container.ready();
  const { jobs } = await askApi<JobList>(container, 'GET', '/jobs');
  expect(jobs).toEqual(before);
  expect(await findJob(container, jobs[0] ?? { id: '' })).toMatchObject({ state: 'completed' });
  expect(await container.stop()).toBe(0);
});

it.each([
  ['as root on a read-only root', []],
  ['as a uid that no passwd knows, without capabilities', ['--user', '10001:10001', '--cap-drop', 'ALL']],
])('scrapes %s', async (_, args) => {
  const places = ['--read-only', '--tmpfs', '/run', '--tmpfs', '/tmp'];
  const other = await runScraper(site, { volume: await makeVolume(), args: [...places, ...args] });
  await other.ready();
  const job = await addJob(other, 'scrape', { tool: await addTool(other, site, '/good') });
  expect(await endOf(other, job)).toMatchObject({ state: 'completed', attempts: 1 });
  expect(await other.stop()).toBe(0);
  await other.remove();
});

it('of tier scraper the image core says which image has it', async () => {
  const refused = await runContainer({ volume: await makeVolume(), env: { BULKHEAD_TIER: 'scraper' } });
  expect(await refused.exitCode()).toBe(13);
  expect(await refused.logs()).toContain('--target scraper');
});

it('runs as tier core from the image scraper as well', async () => {
  const core = await runContainer({
    volume: await makeVolume(),
    image: SCRAPER_IMAGE,
    env: { BULKHEAD_TIER: 'core' },
  });
  await core.ready();
  expect(await core.stop()).toBe(0);
});
