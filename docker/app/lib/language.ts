export const LANGUAGES = ['en', 'fr'] as const;
export type Language = (typeof LANGUAGES)[number];

export function isLanguage(value: string | undefined): value is Language {
  return value === 'en' || value === 'fr';
}

/** The best of ours for an Accept-Language header (RFC 9110, 12.5.4); English when none fits. */
export function chooseLanguage(header: string | null, chosen?: string): Language {
  if (isLanguage(chosen)) return chosen;
  let best: { language: Language; weight: number } = { language: 'en', weight: 0 };
  for (const part of (header ?? '').split(',')) {
    const [range = '', ...params] = part.trim().toLowerCase().split(';');
    const quality = params.map((param) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(param)?.[1]).find(Boolean);
    const weight = quality === undefined ? 1 : Number(quality);
    const language = range.split('-')[0];
    if (isLanguage(language) && weight > best.weight) best = { language, weight };
  }
  return best.language;
}

/** A place in this site to go back to, or the front page: never another site. */
export function localPath(value: string | null): string {
  if (!value?.startsWith('/')) return '/';
  const url = new URL(value, 'http://here.invalid');
  // "/.//elsewhere" normalises to "//elsewhere", which is another host again.
  if (url.host !== 'here.invalid' || url.pathname.startsWith('//')) return '/';
  return `${url.pathname}${url.search}`;
}
