import type { IconLink } from '../browser/facts.ts';
import { type FetchLimits, fetchGuarded } from '../net/fetch.ts';
import type { Guard } from '../net/guard.ts';
import { Problem, wordsOf } from '../problem.ts';
import { makeLogo } from './pictures.ts';

export interface LogoOptions {
  readonly guard: Guard;
  readonly userAgent: string;
  readonly mostPixels: number;
  readonly signal: AbortSignal;
}

const MOST_TRIED = 5;
const MOST_BYTES = 3 * 1024 * 1024;
const EACH_MS = 8_000;

/** How well an icon stands as a logo of 128 pixels; higher is better. */
function worth({ kind, size, url }: IconLink): number {
  const drawn = /^data:image\/svg|\.svg(\?|$)/i.test(url);
  // A declared size that fits beats a guess; a card is a banner, and only better than nothing.
  const base = { touch: 180, icon: drawn ? 170 : 32, logo: 120, card: 10 }[kind];
  return size === undefined || kind === 'card' ? base : Math.min(size, 200);
}

/** The icons to try, best first; the one of every site's root is among them. */
export function orderIcons(icons: readonly IconLink[], pageUrl: string): IconLink[] {
  const root: IconLink = { url: new URL('/favicon.ico', pageUrl).href, kind: 'icon', size: undefined };
  const unique = new Map([...icons, root].toReversed().map((icon) => [icon.url, icon]));
  return [...unique.values()].toReversed().toSorted((a, b) => worth(b) - worth(a));
}

/** The best icon that can be had, as a WebP of fixed size; undefined where the page has none. */
export async function findLogo(icons: readonly IconLink[], pageUrl: string, options: LogoOptions) {
  const limits: FetchLimits = { timeoutMs: EACH_MS, mostBytes: MOST_BYTES, userAgent: options.userAgent };
  const troubles: string[] = [];
  for (const icon of orderIcons(icons, pageUrl).slice(0, MOST_TRIED)) {
    options.signal.throwIfAborted();
    try {
      const file = icon.url.startsWith('data:')
        ? readDataUrl(icon.url)
        : await getIcon(icon.url, options, limits);
      return { logo: await makeLogo(file, options.mostPixels), troubles };
    } catch (error) {
      troubles.push(`${icon.url.slice(0, 120)}: ${wordsOf(error)}`);
    }
  }
  return { logo: undefined, troubles };
}

async function getIcon(url: string, options: LogoOptions, limits: FetchLimits): Promise<Buffer> {
  const { status, body } = await fetchGuarded(options.guard, url, limits);
  if (status !== 200) throw new Problem(`it answered ${status}`);
  return body;
}

/** RFC 2397. */
function readDataUrl(url: string): Buffer {
  const comma = url.indexOf(',');
  if (comma === -1 || url.length > MOST_BYTES) throw new Problem('not a data address that we read');
  const text = url.slice(comma + 1);
  return /;base64$/i.test(url.slice(0, comma))
    ? Buffer.from(text, 'base64')
    : Buffer.from(decodeURIComponent(text));
}
