import { setTimeout as delay } from 'node:timers/promises';
import type { HTTPResponse, Page } from 'puppeteer-core';
import { Problem, wordsOf } from '../problem.ts';
import { watchCrashes, wordsOfCrash } from './crash.ts';
import { type PageFacts, readPage, tidyFacts } from './facts.ts';
import { VIEWPORT } from './flags.ts';
import type { RunningBrowser } from './launch.ts';
import { type NavigationRules, watchNavigation } from './navigation.ts';

export interface Visit {
  /** Where the page came from in the end. */
  readonly url: string;
  readonly facts: PageFacts;
  /** PNG, as large as the viewport. */
  readonly screenshot: Buffer;
}

export interface VisitOptions extends NavigationRules {
  readonly agent: string;
  readonly timeoutMs: number;
  /** Aborted with the reason when the visit is over, whatever the page does. */
  readonly signal: AbortSignal;
  /** Aborted when the page has had all the bytes it may have: then nothing more comes. */
  readonly full: AbortSignal;
  progress(percent: number, text: string): void;
}

/** How long a page may go on loading after its text is there: pictures and fonts for the screenshot. */
const LOAD_SHARE_MS = 8_000;
/** For what scripts draw once everything is loaded. */
const SETTLE_MS = 400;

/** Opens an address in a fresh page and looks at it. Whatever the page does, this ends by `timeoutMs`. */
export async function visit(
  running: Pick<RunningBrowser, 'browser' | 'said' | 'oomKills'>,
  options: VisitOptions,
): Promise<Visit> {
  const { browser } = running;
  const ends = performance.now() + options.timeoutMs;
  const tooLong = new Problem(
    `cannot open ${options.url}: it took longer than ${options.timeoutMs / 1000} s`,
  );
  const over = Promise.withResolvers<never>();
  over.promise.catch(() => {});
  const timer = setTimeout(() => over.reject(tooLong), options.timeoutMs);
  const abort = () => over.reject(options.signal.reason);
  options.signal.addEventListener('abort', abort, { once: true });
  if (options.signal.aborted) abort();
  // Half a document is none. Where only pictures are missing, what is there is good.
  const opened = { yet: false };
  const tooLarge = () =>
    opened.yet || over.reject(new Problem(`cannot open ${options.url}: the page is too large`));
  options.full.addEventListener('abort', tooLarge, { once: true });
  const crashes = await Promise.race([watchCrashes(browser), over.promise]);
  const page = await Promise.race([browser.newPage(), over.promise]);
  let isGone = false;
  page.once('error', () => {
    isGone = true;
    void crashes.why().then((crash) => {
      const why = wordsOfCrash({ crash, said: running.said(), oomKills: running.oomKills() });
      over.reject(new Problem(`cannot open ${options.url}: ${why}`));
    });
  });
  try {
    const work = look(page, options, opened, () => Math.max(1, ends - performance.now())).catch(
      // What its end does to a question under way is not why it ended.
      (error: unknown) => (isGone ? over.promise : Promise.reject(error)),
    );
    work.catch(() => {});
    return await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', abort);
    // A hung tab never answers; whoever started the browser kills it.
    page.close().catch(() => {});
  }
}

async function look(
  page: Page,
  options: VisitOptions,
  opened: { yet: boolean },
  left: () => number,
): Promise<Visit> {
  await prepare(page, options.agent);
  const session = await page.createCDPSession();
  const { frameTree } = await session.send('Page.getFrameTree');
  const watch = await watchNavigation(session, frameTree.frame.id, options);
  const loaded = new Promise<void>((resolve) => page.once('load', () => resolve()));
  let response: HTTPResponse | null;
  try {
    response = await page.goto(options.url, { waitUntil: 'domcontentloaded', timeout: 0 });
  } catch (error) {
    throw watch.failure() ?? new Problem(`cannot open ${options.url}: ${plainReason(error)}`);
  }
  opened.yet = true;
  const early = watch.failure();
  if (early) throw early;
  requirePage(options.url, response);
  options.progress(30, `opened ${page.url()}`);
  await Promise.race([loaded, delay(Math.min(LOAD_SHARE_MS, left() / 2), undefined, { ref: false })]);
  await delay(Math.min(SETTLE_MS, left() / 4));
  const failure = watch.failure();
  if (failure) throw failure;
  watch.settle();
  const facts = tidyFacts(await page.evaluate(readPage));
  const url = page.url();
  options.progress(50, 'taking the screenshot');
  const screenshot = await page.screenshot({
    type: 'png',
    optimizeForSpeed: true,
    captureBeyondViewport: false,
    clip: { x: 0, y: 0, ...VIEWPORT },
  });
  return { url, facts, screenshot: Buffer.from(screenshot) };
}

/** Puppeteer's words, without what is for developers. */
function plainReason(error: unknown): string {
  const [line = ''] = wordsOf(error).split('\n');
  return line.replace(/ at https?:\S+$/, '');
}

async function prepare(page: Page, agent: string): Promise<void> {
  const session = await page.createCDPSession();
  const name = (await page.browser().userAgent()).replace('HeadlessChrome', 'Chrome');
  await Promise.all([
    session.send('Browser.setDownloadBehavior', { behavior: 'deny' }),
    page.setUserAgent({ userAgent: `${name} ${agent}` }),
    page.setBypassServiceWorker(true),
  ]);
  page.on('dialog', (dialog) => void dialog.dismiss().catch(() => {}));
  page.on('popup', (popup) => void popup?.close().catch(() => {}));
}

function requirePage(url: string, response: HTTPResponse | null): void {
  if (!response) throw new Problem(`cannot open ${url}: there was no answer`);
  if (!response.ok()) throw new Problem(`cannot open ${url}: it answered ${response.status()}`);
  const type = response.headers()['content-type'] ?? 'text/html';
  if (!/^\s*(text\/html|application\/xhtml\+xml)/i.test(type)) {
    throw new Problem(`cannot open ${url}: it is ${type.slice(0, 100)}, not a page`);
  }
}
