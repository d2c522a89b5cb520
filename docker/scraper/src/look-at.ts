import { findChromium } from './browser/find.ts';
import { launchBrowser, type RunningBrowser } from './browser/launch.ts';
import { lookAround } from './browser/surroundings.ts';
import { type Visit, visit } from './browser/visit.ts';
import { findLogo } from './images/logo.ts';
import { makeScreenshot } from './images/pictures.ts';
import { makeGuard } from './net/guard.ts';
import { startProxy } from './net/proxy.ts';
import { makeRobots } from './net/robots.ts';
import { Problem, wordsOf } from './problem.ts';
import type { Settings } from './settings.ts';

export interface Seen extends Pick<Visit, 'url' | 'facts'> {
  /** WebP of fixed size. */
  readonly logo: Buffer | undefined;
  readonly screenshot: Buffer;
  /** Bytes that the page took from the network. */
  readonly received: number;
  /** The browser's memory after the visit, in bytes, where the kernel tells. */
  readonly memory: number | undefined;
}

export interface LookOptions {
  readonly settings: Settings;
  /** Aborted with the reason when everything must end now. */
  readonly signal: AbortSignal;
  progress(percent: number, text: string): void;
  say(text: string): void;
}

const LAUNCH_TIMEOUT_MS = 20_000;

/** The kernel kills the largest: that may be the browser itself and not one of its tabs. */
function ofMemory(running: RunningBrowser | undefined): string {
  return (running?.oomKills() ?? 0) > 0 ? ': out of memory' : '';
}

/** Opens an address in a browser of its own and brings out what the directory shows of it. */
export async function lookAt(url: string, { settings, signal, progress, say }: LookOptions): Promise<Seen> {
  const guard = makeGuard(settings.allowed);
  const userAgent = `Mozilla/5.0 (compatible; ${settings.agent})`;
  const robots = makeRobots(guard, userAgent);
  const { hostname, port, protocol } = new URL(url);
  // Before a browser is started for nothing; the proxy asks again.
  await guard.check(hostname, Number(port || (protocol === 'https:' ? 443 : 80))).catch((error: unknown) => {
    throw new Problem(`cannot open ${url}: ${wordsOf(error)}`);
  });
  const surroundings = lookAround();
  const { noSandbox, landlock } = surroundings;
  const held = landlock > 0 ? 'held by Landlock' : 'held by nothing but its user';
  say(`looking at ${url}${noSandbox ? ` with Chromium outside its sandbox, ${held}: ${noSandbox}` : ''}`);
  const full = new AbortController();
  const proxy = await startProxy({ guard, mostBytes: settings.mostBytes, onFull: () => full.abort() });
  let running: RunningBrowser | undefined;
  const kill = () => void running?.kill();
  signal.addEventListener('abort', kill, { once: true });
  try {
    const program = findChromium(settings.chromium);
    running = await launchBrowser({
      program,
      proxyPort: proxy.port,
      surroundings,
      timeoutMs: LAUNCH_TIMEOUT_MS,
    });
    signal.throwIfAborted();
    progress(10, 'browser started');
    const seen = await visit(running, {
      url,
      robots,
      signal,
      progress,
      agent: settings.agent,
      timeoutMs: settings.pageTimeoutMs,
      mostRedirects: settings.mostRedirects,
      full: full.signal,
    });
    const memory = running.memory();
    // Pictures cost memory too: not beside a browser.
    await running.kill();
    progress(60, 'looking for a logo');
    const { mostPixels } = settings;
    const { logo, troubles } = await findLogo(seen.facts.icons, seen.url, {
      guard,
      userAgent,
      mostPixels,
      signal,
    });
    for (const trouble of troubles) say(`no logo from ${trouble}`);
    signal.throwIfAborted();
    const screenshot = await makeScreenshot(seen.screenshot, mostPixels);
    return { url: seen.url, facts: seen.facts, logo, screenshot, received: proxy.received(), memory };
  } catch (error) {
    signal.throwIfAborted();
    const end = running?.endedBy();
    if (end !== undefined)
      throw new Problem(`cannot open ${url}: Chromium ended, ${end}${ofMemory(running)}`);
    const [refusal] = proxy.refusals;
    if (refusal && error instanceof Problem && error.constructor === Problem) {
      throw new Problem(`${wordsOf(error)} (${refusal})`);
    }
    throw error;
  } finally {
    signal.removeEventListener('abort', kill);
    await running?.kill();
    await proxy.close();
    for (const refusal of [...proxy.refusals].slice(0, 5)) say(refusal);
  }
}
