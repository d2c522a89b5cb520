'use client';

import { usePathname, useSearchParams } from 'next/navigation';
import { Suspense } from 'react';
import type { Language } from '../lib/language.ts';

const names: Record<Language, string> = { en: 'English', fr: 'Français' };

function Links({ language, back }: { language: Language; back: string }) {
  return (
    <nav className="languages" aria-label="Language, langue">
      {(['en', 'fr'] as const).map((to) => (
        <a
          key={to}
          href={`/language?to=${to}&back=${encodeURIComponent(back)}`}
          hrefLang={to}
          lang={to}
          title={names[to]}
          aria-label={names[to]}
          aria-current={to === language ? 'true' : undefined}
        >
          {to.toUpperCase()}
        </a>
      ))}
    </nav>
  );
}

function LinksHere({ language }: { language: Language }) {
  const path = usePathname();
  const query = useSearchParams().toString();
  return <Links language={language} back={query ? `${path}?${query}` : path} />;
}

/** Two plain links that set a cookie and come back to the same page. */
export function LanguageSwitch({ language }: { language: Language }) {
  return (
    <Suspense fallback={<Links language={language} back="/" />}>
      <LinksHere language={language} />
    </Suspense>
  );
}
