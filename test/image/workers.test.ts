/** docker/compose.workers.yaml as containers: a PostgreSQL, one for people, three that work, one folder of images. */
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type Container,
  freePorts,
  IMAGE,
  makeVolume,
  type RunOptions,
  runContainer,
  useContainers,
  waitFor,
} from './container.ts';
import { addJob, endOf, openSite, runScraper, type Site } from './jobs.ts';

useContainers();

const PAGES = 9;

/** As the official image has it: the superuser's name is the application's, and everybody comes with the password. */
const POSTGRES = `
export PGDATA=/tmp/cluster
setpriv --reuid postgres --regid postgres --clear-groups bash -c '
  initdb -U tools --auth=scram-sha-256 --pwfile=<(echo secret) --no-instructions >/dev/null
  echo "host all all all scram-sha-256" >>$PGDATA/pg_hba.conf
  exec postgres -p '$PORT' -c listen_addresses=* -c unix_socket_directories=/tmp'`;

let site: Site;
let app: Container;
let workers: Container[];
let server: Container;
let shared: Pick<RunOptions, 'args' | 'env'>;

beforeAll(async () => {
  site = await openSite();
  const ports = await freePorts();
  const image = { image: IMAGE, ports, args: ['--entrypoint', 'bash'], command: ['-c', POSTGRES] };
  server = await runContainer({ ...image, env: { PORT: String(ports.database) } });
  await waitFor('PostgreSQL', async () => (await psql('postgres', 'SELECT 1')).code === 0, server);
  expect(await psql('postgres', 'CREATE DATABASE tools')).toMatchObject({ code: 0 });
  shared = {
    args: ['--volume', `${await makeVolume()}:/data/assets`],
    // A loopback address would mean the cluster of the volume.
    env: { DATABASE_URL: `postgresql://tools:secret@${ownAddress()}:${ports.database}/tools` },
  };
  app = await runScraper(site, {
    ...shared,
    volume: await makeVolume(),
    env: { ...shared.env, WORKER_CONCURRENCY: '0' },
  });
  await app.ready();
  const only = { BULKHEAD_ONLY: 'worker', MAX_SCRAPER_CONCURRENT: '1' };
  workers = await Promise.all(
    [1, 2, 3].map(() => runScraper(site, { ...shared, env: { ...shared.env, ...only } })),
  );
  await Promise.all(workers.map((worker) => worker.ready()));
});
afterAll(() => site.stop());

function psql(database: string, statement: string) {
  const place = ['-h', '127.0.0.1', '-p', String(server.ports.database), '-U', 'tools', '-d', database];
  return server.exec(['psql', '-qAt', '-v', 'ON_ERROR_STOP=1', ...place, '-c', statement], {
    env: { PGPASSWORD: 'secret' },
  });
}

function ownAddress(): string {
  const [outside] = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal);
  if (outside === undefined) throw new Error('this machine has no address but the loopback');
  return outside.address;
}

it('jobs taken in by one are done by the three others, each once, and their images are seen by all', async () => {
  const added = await psql(
    'tools',
    `WITH one AS (INSERT INTO categories (slug, name_en, name_fr, symbol) VALUES ('of-the-test', 'a', 'b', 'c') RETURNING id)
     INSERT INTO tools (name, slug, url, category_id, summary_en)
     SELECT 'Page ' || n, 'shared-' || n, 'http://127.0.0.1:${site.port}/shared-' || n, one.id, 'Of the test'
     FROM one, generate_series(1, ${PAGES}) n RETURNING id`,
  );
  expect(added).toMatchObject({ code: 0, stderr: '' });
  const tools = added.stdout.trim().split('\n').map(Number);
  const jobs = await Promise.all(tools.map((tool) => addJob(app, 'scrape', { tool })));
  for (const job of jobs) {
    const ended = await endOf(app, job);
    expect(ended, JSON.stringify(ended)).toMatchObject({ state: 'completed', attempts: 1 });
    const { screenshot } = ended.result as { readonly screenshot: string };
    expect((await fetch(`http://127.0.0.1:${app.ports.app}/assets/${screenshot}`)).status).toBe(200);
  }
  const shares = await Promise.all(workers.map(async (one) => countVisits(await one.logs())));
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(PAGES);
  expect(Math.min(...shares)).toBeGreaterThan(0);
  expect(countVisits(await app.logs())).toBe(0);
});

const countVisits = (log: string): number => log.match(/looking at http/g)?.length ?? 0;

it('they all stop clean', async () => {
  for (const one of [...workers, app]) expect(await one.stop()).toBe(0);
});
