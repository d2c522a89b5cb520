import robotsParser from 'robots-parser';
import { Problem, wordsOf } from '../problem.ts';
import { type FetchLimits, fetchGuarded } from './fetch.ts';
import { type Guard, Refused } from './guard.ts';

/** What robots.txt calls us (RFC 9309, 2.2.1). */
export const PRODUCT_TOKEN = 'BulkheadScraper';

/** Says whether an address may be visited; throws where the site's wish cannot be known just now. */
export type Robots = (url: string) => Promise<boolean>;

interface Rules {
  isAllowed(url: string, agent: string): boolean | undefined;
}

// RFC 9309, 2.5: "a parsing limit must be at least 500 kibibytes".
const MOST_BYTES = 512 * 1024;
const everything: Rules = { isAllowed: () => true };

/**
 * robots.txt as RFC 9309 has it: no such file (4xx) allows everything, a server that fails (5xx) or does
 * not answer allows nothing for now. Each host is asked once.
 */
export function makeRobots(guard: Guard, userAgent: string): Robots {
  const known = new Map<string, Promise<Rules>>();
  const limits: FetchLimits = { timeoutMs: 10_000, mostBytes: MOST_BYTES, cut: true, userAgent };
  return async (url) => {
    const { origin } = new URL(url);
    let rules = known.get(origin);
    if (!rules) {
      rules = readRules(guard, origin, limits);
      known.set(origin, rules);
    }
    return (await rules).isAllowed(url, PRODUCT_TOKEN) ?? true;
  };
}

async function readRules(guard: Guard, origin: string, limits: FetchLimits): Promise<Rules> {
  const address = `${origin}/robots.txt`;
  const came = await fetchGuarded(guard, address, limits).catch((error: unknown) => {
    if (error instanceof Refused) throw error;
    throw new Problem(`cannot read ${address}: ${wordsOf(error)}`);
  });
  if (came.status >= 500) throw new Problem(`cannot read ${address}: it answered ${came.status}`);
  if (came.status >= 300) return everything;
  return parse(address, came.body.toString('utf8'));
}

// The package is CommonJS with a default export that TypeScript and Node see differently.
const parse = robotsParser as unknown as (address: string, text: string) => Rules;
