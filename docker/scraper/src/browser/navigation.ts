import type { CDPSession, Protocol } from 'puppeteer-core';
import type { Robots } from '../net/robots.ts';
import { Problem, wordsOf } from '../problem.ts';

/** The site does not want us there. Nothing to try again. */
export class Unwelcome extends Problem {}

export interface NavigationRules {
  /** Where it all began. */
  readonly url: string;
  readonly robots: Robots;
  readonly mostRedirects: number;
}

export interface NavigationWatch {
  /** The first reason why the page went where it may not, if it did. */
  failure(): Error | undefined;
  /** Takes no more addresses: the page is where we look at it. */
  settle(): void;
}

/**
 * Stands before every document that the page's main frame asks for, redirects and the page's own "location = …"
 * included: only the web, only where robots.txt lets us, and not for ever.
 */
export async function watchNavigation(
  session: CDPSession,
  mainFrame: string,
  { url: start, robots, mostRedirects }: NavigationRules,
): Promise<NavigationWatch> {
  let failure: Error | undefined;
  let settled = false;
  let asked = 0;
  /** Throws where the main frame may not go. */
  const judge = async (url: string) => {
    if (settled) throw new Problem('we are looking at the page');
    if (!/^https?:/.test(url))
      throw cannot(`it leads to ${url.slice(0, 200)}, and only http and https are opened`);
    asked += 1;
    if (asked > mostRedirects + 1) throw cannot(`more than ${mostRedirects} redirects, the last to ${url}`);
    const welcome = await robots(url).catch((error: unknown) => {
      throw cannot(wordsOf(error));
    });
    if (!welcome) throw new Unwelcome(`robots.txt of ${new URL(url).origin} does not want us at ${url}`);
  };
  const cannot = (reason: string) => new Problem(`cannot open ${start}: ${reason}`);
  const answer = async ({ requestId, request, frameId }: Protocol.Fetch.RequestPausedEvent) => {
    try {
      if (frameId === mainFrame) await judge(request.url);
      await session.send('Fetch.continueRequest', { requestId });
    } catch (error) {
      failure ??= error as Error;
      await session.send('Fetch.failRequest', { requestId, errorReason: 'BlockedByClient' });
    }
  };
  session.on('Fetch.requestPaused', (event) => {
    // The page may be gone by then.
    answer(event).catch(() => {});
  });
  await session.send('Fetch.enable', { patterns: [{ resourceType: 'Document', requestStage: 'Request' }] });
  return {
    failure: () => (settled ? undefined : failure),
    settle() {
      settled = true;
    },
  };
}
