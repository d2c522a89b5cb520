import type { Metadata, Viewport } from 'next';
import localFont from 'next/font/local';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { LanguageSwitch } from '../components/language-switch.tsx';
import { readLanguage } from '../lib/reader.ts';
import './globals.css';

const display = localFont({
  src: '../node_modules/@fontsource-variable/bricolage-grotesque/files/bricolage-grotesque-latin-wght-normal.woff2',
  variable: '--font-display',
  weight: '200 800',
});
const body = localFont({
  src: '../node_modules/@fontsource-variable/instrument-sans/files/instrument-sans-latin-wght-normal.woff2',
  variable: '--font-body',
  weight: '400 700',
});

const siteName = () => process.env.SITE_NAME || 'Toolshelf';

export async function generateMetadata(): Promise<Metadata> {
  const { words } = await readLanguage();
  return {
    title: { default: `${siteName()}: ${words.tagline}`, template: `%s · ${siteName()}` },
    description: words.tagline,
  };
}

export const viewport: Viewport = {
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#f6f5f1' },
    { media: '(prefers-color-scheme: dark)', color: '#14131a' },
  ],
};

export default async function Layout({ children }: { children: ReactNode }) {
  const { language, words } = await readLanguage();
  return (
    <html lang={language} className={`${display.variable} ${body.variable}`}>
      <body>
        <header className="top">
          <Link href="/" className="brand" prefetch={false}>
            <svg viewBox="0 0 32 32" aria-hidden="true">
              <rect x="5" y="4" width="6" height="17" rx="2" />
              <rect x="13" y="8" width="6" height="13" rx="2" />
              <rect x="21.2" y="6.2" width="5.6" height="15" rx="2" transform="rotate(-12 24 21)" />
              <rect x="3" y="24" width="26" height="4" rx="2" />
            </svg>
            {siteName()}
          </Link>
          <span className="tagline">{words.tagline}</span>
          <LanguageSwitch language={language} />
        </header>
        <main>{children}</main>
        <footer className="bottom">
          <span>{words.footer}</span>
          <nav>
            <a href="/api/tools">{words.api}</a>
            <Link href="/admin" prefetch={false}>
              {words.admin}
            </Link>
          </nav>
        </footer>
      </body>
    </html>
  );
}
