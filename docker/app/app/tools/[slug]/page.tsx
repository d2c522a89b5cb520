import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound } from 'next/navigation';
import { cache } from 'react';
import { Logo } from '../../../components/logo.tsx';
import { Notice } from '../../../components/notice.tsx';
import { Prose } from '../../../components/prose.tsx';
import { Rating } from '../../../components/rating.tsx';
import { ToolCard } from '../../../components/tool-card.tsx';
import { aboutTool } from '../../../lib/about.ts';
import { unlessAway } from '../../../lib/database.ts';
import { readAdmin, readLanguage } from '../../../lib/reader.ts';
import { findRelated, findTool, inLanguage } from '../../../lib/tools.ts';
import { formatDate, formatMoney, formatNumber } from '../../../lib/words.ts';

type Props = { params: Promise<{ slug: string }> };

const load = cache((slug: string) =>
  unlessAway(async () => {
    const tool = await findTool(slug);
    return { tool, related: tool ? await findRelated(tool) : [] };
  }),
);

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { language, words } = await readLanguage();
  const found = await load((await params).slug);
  if (!found) return { title: words.awayTitle, robots: { index: false } };
  if (!found.tool) return { title: words.missingTitle };
  return { title: found.tool.name, description: inLanguage(language, found.tool.summary_en, found.tool.summary_fr) };
}

export default async function ToolPage({ params }: Props) {
  const { slug } = await params;
  const { language, words } = await readLanguage();
  const found = await load(slug);
  if (!found) {
    const action = { href: `/tools/${slug}`, label: words.retry };
    return <Notice sign="☕️" title={words.awayTitle} text={words.awayText} action={action} />;
  }
  const { tool, related } = found;
  if (!tool) notFound();
  const admin = await readAdmin();
  const about = aboutTool(language, tool);
  return (
    <article className="tool">
      <Link href="/" className="back" prefetch={false}>
        <span aria-hidden="true">←</span> {words.back}
      </Link>
      <header className="tool-head">
        <Logo name={tool.name} picture={tool.logo} large />
        <div>
          <h1>{tool.name}</h1>
          <p className="tool-summary">{inLanguage(language, tool.summary_en, tool.summary_fr)}</p>
          <div className="tool-marks">
            <span className={`pill pill-${tool.pricing}`}>{words.pricing[tool.pricing]}</span>
            {tool.featured && <span className="pill pill-featured">{words.featured}</span>}
            <Rating rating={tool.rating} language={language} />
            <span className="votes">
              {formatNumber(language, tool.votes)} {words.votes}
            </span>
          </div>
        </div>
        <div className="tool-actions">
          {tool.url ? (
            <a href={tool.url} className="button" rel="noopener nofollow" target="_blank">
              {words.visit} <span aria-hidden="true">↗</span>
            </a>
          ) : (
            <span className="button" aria-disabled="true">
              {words.noSite}
            </span>
          )}
          {admin === 'in' && (
            <Link href={`/admin/${tool.id}`} className="button button-quiet" prefetch={false}>
              {words.edit}
            </Link>
          )}
        </div>
      </header>
      <div className="tool-columns">
        <section className="panel">
          <h2>{words.about}</h2>
          {tool.screenshot && (
            <img
              className="screenshot"
              src={tool.screenshot}
              width={1280}
              height={800}
              alt={words.screenshotOf(tool.name)}
              decoding="async"
            />
          )}
          <Prose text={about.text} lang={about.lang} />
          {tool.tags.length > 0 && (
            <ul className="tags" aria-label={words.tags}>
              {tool.tags.map((tag) => (
                <li key={tag}>
                  <Link href={`/?q=${encodeURIComponent(tag)}`} prefetch={false}>
                    {tag}
                  </Link>
                </li>
              ))}
            </ul>
          )}
        </section>
        <aside className="panel facts">
          <h2>{words.facts}</h2>
          <dl>
            <dt>{words.category}</dt>
            <dd>
              <Link href={`/?category=${tool.category}`} prefetch={false}>
                {inLanguage(language, tool.category_en, tool.category_fr)}
              </Link>
            </dd>
            <dt>{words.price}</dt>
            <dd>
              {tool.price_from === null
                ? words.pricing[tool.pricing]
                : words.priceFrom(formatMoney(language, tool.price_from))}
            </dd>
            <dt>{words.rating}</dt>
            <dd>{tool.rating === null ? words.noRating : <Rating rating={tool.rating} language={language} />}</dd>
            <dt>{words.added}</dt>
            <dd>{formatDate(language, tool.created_at)}</dd>
            <dt>{words.updated}</dt>
            <dd>{formatDate(language, tool.updated_at)}</dd>
            {tool.links.length > 0 && (
              <>
                <dt>{words.links}</dt>
                <dd className="links">
                  {tool.links.map((link) => (
                    <a key={link.kind} href={link.url} rel="noopener nofollow" target="_blank">
                      {link.kind}
                    </a>
                  ))}
                </dd>
              </>
            )}
          </dl>
        </aside>
      </div>
      {related.length > 0 && (
        <section>
          <h2 className="related-title">{words.related}</h2>
          <ul className="cards">
            {related.map((other) => (
              <ToolCard key={other.id} tool={other} language={language} words={words} />
            ))}
          </ul>
        </section>
      )}
    </article>
  );
}
