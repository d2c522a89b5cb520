// A scraper as people write their first one: loaded into the app, a browser for each page, what it finds in memory.
// Told to start and to stop on the port of the API, which tier core has not.
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { isMainThread } from 'node:worker_threads';
import puppeteer from 'puppeteer-core';
import sharp from 'sharp';

const AT_ONCE = Number(process.env.IN_PROCESS_AT_ONCE);
const KILL_EVERY = Number(process.env.IN_PROCESS_KILL_EVERY);
const PAGES = 200;
const site = process.env.IN_PROCESS_SITE;
const assets = '/tmp/assets';
let [next, done, failed, running] = [0, 0, 0, false];

async function scrape(url) {
  const browser = await puppeteer.launch({
    executablePath: '/usr/lib/chromium/chromium-headless-shell',
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  try {
    // As in the other shape: one of so many is killed.
    if (next % KILL_EVERY === 0) setTimeout(() => browser.process()?.kill('SIGKILL'), 700);
    const page = await browser.newPage();
    await page.goto(url, { timeout: 30_000, waitUntil: 'networkidle2' });
    const html = await page.content();
    const [, description = ''] = /<meta name="description" content="([^"]*)"/.exec(html) ?? [];
    const picture = await page.screenshot();
    await mkdir(assets, { recursive: true });
    const name = `${assets}/${encodeURIComponent(url)}`;
    await writeFile(`${name}.webp`, await sharp(picture).resize(1280).webp().toBuffer());
    await writeFile(`${name}.json`, JSON.stringify({ title: await page.title(), description }));
  } finally {
    await browser.close();
  }
}

async function work() {
  while (running) {
    next += 1;
    try {
      await scrape(`${site}/page/${(next % PAGES) + 1}`);
      done += 1;
    } catch {
      failed += 1;
    }
  }
}

if (isMainThread && site) {
  createServer((request, response) => {
    if (request.url === '/start') {
      if (!running) {
        running = true;
        for (let one = 0; one < AT_ONCE; one += 1) void work();
      }
      response.end('started');
    } else {
      running = false;
      response.end(`${next} scrapes begun, ${done} done, ${failed} failed, ${AT_ONCE} at once`);
    }
  }).listen(Number(process.env.BULKHEAD_API_PORT), '127.0.0.1');
}
