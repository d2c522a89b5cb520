import type { Metadata } from 'next';
import Form from 'next/form';
import Link from 'next/link';
import { Notice } from '../../components/notice.tsx';
import { Pager } from '../../components/pager.tsx';
import { unlessAway } from '../../lib/database.ts';
import { readAdmin, readLanguage } from '../../lib/reader.ts';
import { PAGE_SIZE, type Params, readSearch } from '../../lib/search.ts';
import { findTools, inLanguage } from '../../lib/tools.ts';
import { formatNumber } from '../../lib/words.ts';
import { signOut } from './actions.ts';
import { SignInForm } from './sign-in-form.tsx';

export async function generateMetadata(): Promise<Metadata> {
  const { words } = await readLanguage();
  return { title: words.admin, robots: { index: false } };
}

export default async function AdminPage({ searchParams }: { searchParams: Promise<Params> }) {
  const { language, words } = await readLanguage();
  const admin = await readAdmin();
  if (admin === 'off') return <Notice sign="🔒" title={words.adminOff} text={words.adminOffText} />;
  if (admin === 'out') {
    return (
      <section className="notice">
        <span className="notice-sign" aria-hidden="true">
          🔑
        </span>
        <h1>{words.admin}</h1>
        <SignInForm language={language} />
      </section>
    );
  }
  const params = await searchParams;
  const search = { ...readSearch(params), sort: 'newest' as const };
  const found = await unlessAway(() => findTools(search));
  if (!found) {
    return (
      <Notice sign="☕️" title={words.awayTitle} text={words.awayText} action={{ href: '/admin', label: words.retry }} />
    );
  }
  const { tools, total } = found;
  const saved = typeof params.saved === 'string' && /^[a-z0-9-]{1,120}$/.test(params.saved) ? params.saved : null;
  return (
    <div className="admin">
      <header className="admin-head">
        <h1>{words.admin}</h1>
        <div className="admin-actions">
          <Link href="/admin/new" className="button" prefetch={false}>
            + {words.addTool}
          </Link>
          <form action={signOut}>
            <button type="submit" className="button button-quiet">
              {words.signOut}
            </button>
          </form>
        </div>
      </header>
      {saved && (
        <p className="saved" role="status">
          {words.saved}{' '}
          <Link href={`/tools/${saved}`} prefetch={false}>
            {words.view}
          </Link>
        </p>
      )}
      <Form action="/admin" className="search search-small" role="search" prefetch={false}>
        <input
          key={search.q}
          type="search"
          name="q"
          defaultValue={search.q}
          aria-label={words.searchLabel}
          placeholder={words.searchLabel}
        />
        <button type="submit" className="button button-quiet">
          {words.search}
        </button>
      </Form>
      <p className="admin-count">{words.results(total, formatNumber(language, total))}</p>
      <ul className="rows panel">
        {tools.map((tool) => (
          <li key={tool.id}>
            <Link href={`/tools/${tool.slug}`} className="row-name" prefetch={false}>
              {tool.name}
            </Link>
            <span className="row-category">{inLanguage(language, tool.category_en, tool.category_fr)}</span>
            <span className={`pill pill-${tool.pricing}`}>{words.pricing[tool.pricing]}</span>
            <Link href={`/admin/${tool.id}`} className="row-edit" prefetch={false} aria-label={`${words.edit} ${tool.name}`}>
              {words.edit}
            </Link>
          </li>
        ))}
        {tools.length === 0 && <li>{words.none}</li>}
      </ul>
      <Pager
        search={{ ...search, sort: 'popular' }}
        last={Math.max(1, Math.ceil(total / PAGE_SIZE))}
        language={language}
        words={words}
        path="/admin"
      />
    </div>
  );
}
