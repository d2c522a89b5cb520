/** Jobs of a container of tier scraper, asked for and watched through its API as a client outside would. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JobView } from '../../src/protocol/jobs.ts';
import {
  type Container,
  type Process,
  type RunOptions,
  runContainer,
  SCRAPER_IMAGE,
  waitFor,
} from './container.ts';

export const TOKEN = 'let-me-in-please-0123456789';

export interface Site {
  readonly port: number;
  /** Answers to /slow wait until it opens; it may be closed again. */
  readonly gate: { open(): void; close(): void };
  /** How often /slow was asked for so far. */
  slowVisits(): number;
  stop(): Promise<void>;
}

/** A site of a few pages on the loopback, which containers on the host's network share. */
export async function openSite(): Promise<Site> {
  let slow = 0;
  let gate = Promise.withResolvers<void>();
  const page = (title: string): string =>
    `<!doctype html><html lang="en"><head><title>${title}</title><meta name="description" content="What ${title} does.">` +
    `<link rel="icon" type="image/svg+xml" href="/icon.svg"></head><body><h1>${title}</h1><p>漢字 العربية 😀</p></body></html>`;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? '/';
    if (path === '/icon.svg') {
      response.writeHead(200, { 'content-type': 'image/svg+xml' });
      response.end(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" fill="teal"/></svg>',
      );
      return;
    }
    if (path === '/robots.txt') {
      response.writeHead(404).end();
      return;
    }
    if (path.startsWith('/slow')) {
      slow += 1;
      await gate.promise;
    }
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(page(`Tool ${path.slice(1)}`));
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    gate: {
      open: () => gate.resolve(),
      close: () => {
        gate = Promise.withResolvers<void>();
      },
    },
    slowVisits: () => slow,
    stop: async () => {
      gate.resolve();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A container of the image `scraper` whose browser may visit the site. */
export function runScraper(site: Site, options: RunOptions = {}): Promise<Container> {
  return runContainer({
    image: SCRAPER_IMAGE,
    ...options,
    env: {
      BULKHEAD_TOKEN: TOKEN,
      SCRAPER_ALLOW_PRIVATE: `127.0.0.1:${site.port}`,
      MAX_SCRAPER_CONCURRENT: '2',
      ...options.env,
    },
  });
}

/** One more tool, whose website is that path of the site; its id. */
export async function addTool(container: Container, site: Site, path: string): Promise<number> {
  const slug = path.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
  const id = await container.sql(
    `INSERT INTO tools (name, slug, url, category_id, summary_en)
     SELECT 'Tool ${slug}', 'site-${slug}', 'http://127.0.0.1:${site.port}${path}', id, 'Of the test'
     FROM categories ORDER BY id LIMIT 1 RETURNING id`,
  );
  return Number(id);
}

/** @throws with what the API said where it is no 2xx */
export async function askApi<Answer>(
  { ports }: Container,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${ports.api}${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(method === 'POST' ? { body: JSON.stringify(body ?? {}) } : {}),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
  return JSON.parse(text) as Answer;
}

export const addJob = (container: Container, type: string, data: unknown = {}): Promise<JobView> =>
  askApi<JobView>(container, 'POST', `/jobs/${type}`, { data });

export const findJob = (container: Container, { id }: Pick<JobView, 'id'>): Promise<JobView> =>
  askApi<JobView>(container, 'GET', `/jobs/${id}`);

/** As it is when it has ended, however that was. */
export async function endOf(container: Container, job: Pick<JobView, 'id'>): Promise<JobView> {
  let found: JobView | undefined;
  await waitFor(
    `the end of job ${job.id}`,
    async () => {
      found = await findJob(container, job);
      return ['completed', 'failed', 'cancelled'].includes(found.state);
    },
    container,
  );
  if (found === undefined) throw new Error('it was never asked for');
  return found;
}

export const isBrowser = ({ argv }: Process): boolean =>
  /^\S*chromium-headless-shell /.test(argv) && !argv.includes('--type=');
export const ofBrowsers = ({ argv }: Process): boolean => argv.includes('chromium-headless-shell');
