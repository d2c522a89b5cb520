/** What a page says of itself; texts are trimmed and bounded, addresses are absolute. */
export interface PageFacts {
  readonly title: string | undefined;
  readonly description: string | undefined;
  /** BCP 47, as the page has it: "en", "fr-CA". */
  readonly language: string | undefined;
  readonly icons: readonly IconLink[];
  readonly text: string;
}

export interface IconLink {
  readonly url: string;
  readonly kind: 'touch' | 'icon' | 'logo' | 'card';
  /** The larger side in pixels, as declared; undefined: not declared, or any size. */
  readonly size: number | undefined;
}

/** What readPage brings out of the page: strings of a stranger, not yet looked at. */
export interface RawFacts {
  title: string;
  titles: string[];
  descriptions: string[];
  languages: string[];
  icons: { url: string; kind: IconLink['kind']; sizes: string }[];
  text: string;
}

/**
 * Runs inside the page, so it can use nothing from outside. The page may have replaced everything here: whatever
 * comes back is checked by tidyFacts.
 */
export function readPage(): RawFacts {
  const meta = (name: string) =>
    [...document.querySelectorAll(`meta[name="${name}" i], meta[property="${name}" i]`)].map(
      (one) => one.getAttribute('content') ?? '',
    );
  const links = (selector: string, kind: 'touch' | 'icon') =>
    [...document.querySelectorAll<HTMLLinkElement>(selector)].map((one) => ({
      url: one.href,
      kind,
      sizes: one.type === 'image/svg+xml' ? 'any' : (one.getAttribute('sizes') ?? ''),
    }));
  const images = (name: string, kind: 'logo' | 'card') =>
    meta(name)
      .filter((url) => URL.canParse(url, document.baseURI))
      .map((url) => ({ url: new URL(url, document.baseURI).href, kind, sizes: '' }));
  return {
    title: document.title,
    titles: [...meta('og:title'), ...meta('twitter:title')],
    descriptions: [...meta('description'), ...meta('og:description'), ...meta('twitter:description')],
    languages: [document.documentElement.lang, ...meta('language'), ...meta('og:locale')],
    icons: [
      ...links('link[rel~="apple-touch-icon" i], link[rel~="apple-touch-icon-precomposed" i]', 'touch'),
      ...links('link[rel~="icon" i]', 'icon'),
      ...images('og:logo', 'logo'),
      ...images('og:image', 'card'),
    ],
    text: (document.body?.innerText ?? '').slice(0, 20_000),
  };
}

const MOST_ICONS = 20;

function tidyText(value: unknown, most: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  // PostgreSQL takes no zero byte, and half a surrogate pair is no text.
  const text = value
    .toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim();
  if (text.length <= most) return text || undefined;
  const cut = text
    .slice(0, most - 1)
    .toWellFormed()
    .replace(/\uFFFD$/, '');
  return `${cut.replace(/\s+\S*$/, '') || cut}…`;
}

function firstText(values: unknown, most: number): string | undefined {
  if (!Array.isArray(values)) return undefined;
  for (const value of values) {
    const text = tidyText(value, most);
    if (text) return text;
  }
  return undefined;
}

/** "en_US" and "EN-us" are "en-US"; what is no language tag is undefined. */
export function tidyLanguage(value: string | undefined): string | undefined {
  try {
    return value ? Intl.getCanonicalLocales(value.trim().replaceAll('_', '-'))[0] : undefined;
  } catch {
    return undefined;
  }
}

/** "16x16 180x180" is 180; "any" and nothing are undefined. */
function largestSize(sizes: unknown): number | undefined {
  const all = [...String(sizes).matchAll(/(\d{1,5})x(\d{1,5})/gi)].map(([, width, height]) =>
    Math.max(Number(width), Number(height)),
  );
  return all.length > 0 ? Math.max(...all) : undefined;
}

function tidyIcon(value: unknown): IconLink[] {
  const { url, kind, sizes } = (value ?? {}) as Record<string, unknown>;
  if (typeof url !== 'string' || !/^(https?:|data:image\/)/i.test(url) || !URL.canParse(url)) return [];
  if (kind !== 'touch' && kind !== 'icon' && kind !== 'logo' && kind !== 'card') return [];
  return [{ url, kind, size: largestSize(sizes) }];
}

/** Makes facts of whatever came out of the page. */
export function tidyFacts(raw: Partial<Record<keyof RawFacts, unknown>>): PageFacts {
  const languages = Array.isArray(raw.languages) ? raw.languages : [];
  return {
    title: tidyText(raw.title, 300) ?? firstText(raw.titles, 300),
    description: firstText(raw.descriptions, 1000),
    language: languages.map((one) => tidyLanguage(tidyText(one, 40))).find(Boolean),
    icons: (Array.isArray(raw.icons) ? raw.icons : []).slice(0, MOST_ICONS).flatMap(tidyIcon),
    text: tidyText(raw.text, 20_000) ?? '',
  };
}
