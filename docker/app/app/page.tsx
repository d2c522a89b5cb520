import Form from 'next/form';
import Link from 'next/link';
import { redirect } from 'next/navigation';
import { Notice } from '../components/notice.tsx';
import { Pager } from '../components/pager.tsx';
import { ToolCard } from '../components/tool-card.tsx';
import { unlessAway } from '../lib/database.ts';
import { readLanguage } from '../lib/reader.ts';
import { PAGE_SIZE, type Params, readSearch, SORTS, searchHref } from '../lib/search.ts';
import { findTools, inLanguage, listCategories } from '../lib/tools.ts';
import { formatNumber } from '../lib/words.ts';

export default async function ListPage({ searchParams }: { searchParams: Promise<Params> }) {
  const search = readSearch(await searchParams);
  const { language, words } = await readLanguage();
  const found = await unlessAway(() => Promise.all([findTools(search), listCategories()]));
  if (!found) {
    const action = { href: searchHref(search), label: words.retry };
    return <Notice sign="☕️" title={words.awayTitle} text={words.awayText} action={action} />;
  }
  const [{ tools, total }, categories] = found;
  const all = categories.reduce((sum, category) => sum + category.tools, 0);
  const last = Math.max(1, Math.ceil(total / PAGE_SIZE));
  if (tools.length === 0 && total > 0) redirect(searchHref(search, { page: last }));
  return (
    <>
      <section className="hero">
        <h1>{words.title}</h1>
        <p>{words.lead(formatNumber(language, all))}</p>
        <Form action="/" className="search" role="search" prefetch={false}>
          <svg viewBox="0 0 24 24" aria-hidden="true">
            <circle cx="10.5" cy="10.5" r="6.5" />
            <path d="m15.5 15.5 5 5" />
          </svg>
          <input
            key={search.q}
            type="search"
            name="q"
            defaultValue={search.q}
            placeholder={words.searchHint}
            aria-label={words.searchLabel}
            maxLength={80}
            autoComplete="off"
          />
          {search.category && <input type="hidden" name="category" value={search.category} />}
          {search.sort !== 'popular' && <input type="hidden" name="sort" value={search.sort} />}
          <button type="submit" className="button">
            {words.search}
          </button>
        </Form>
      </section>
      <div className="columns">
        <nav className="shelves" aria-label={words.categories}>
          <h2>{words.categories}</h2>
          <ul>
            <li>
              <Link
                href={searchHref(search, { category: '', page: 1 })}
                prefetch={false}
                aria-current={search.category === '' ? 'true' : undefined}
              >
                <span className="symbol" aria-hidden="true">
                  ✦
                </span>
                <span>{words.all}</span>
                <span className="count">{formatNumber(language, all)}</span>
              </Link>
            </li>
            {categories.map((category) => (
              <li key={category.slug}>
                <Link
                  href={searchHref(search, { category: category.slug, page: 1 })}
                  prefetch={false}
                  aria-current={search.category === category.slug ? 'true' : undefined}
                >
                  <span className="symbol" aria-hidden="true">
                    {category.symbol}
                  </span>
                  <span>{inLanguage(language, category.name_en, category.name_fr)}</span>
                  <span className="count">{formatNumber(language, category.tools)}</span>
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <section className="results">
          <div className="results-head">
            <p aria-live="polite">
              <strong>{words.results(total, formatNumber(language, total))}</strong>{' '}
              {search.q && (
                <>
                  {words.resultsFor(search.q)}{' '}
                  <Link href={searchHref(search, { q: '', page: 1 })} className="clear" prefetch={false}>
                    {words.clear}
                  </Link>
                </>
              )}
            </p>
            <nav className="sorts" aria-label={words.sort}>
              {SORTS.map((sort) => (
                <Link
                  key={sort}
                  href={searchHref(search, { sort, page: 1 })}
                  prefetch={false}
                  aria-current={search.sort === sort ? 'true' : undefined}
                >
                  {words.sorts[sort]}
                </Link>
              ))}
            </nav>
          </div>
          {tools.length === 0 ? (
            <div className="empty">
              <span aria-hidden="true">🔭</span>
              <h2>{words.none}</h2>
              <p>{words.noneHint}</p>
              <Link href="/" className="button" prefetch={false}>
                {words.showAll}
              </Link>
            </div>
          ) : (
            <ul className="cards">
              {tools.map((tool) => (
                <ToolCard key={tool.id} tool={tool} language={language} words={words} />
              ))}
            </ul>
          )}
          {tools.length > 0 && <Pager search={search} last={last} language={language} words={words} />}
        </section>
      </div>
    </>
  );
}
