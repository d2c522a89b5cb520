import Link from 'next/link';
import type { Language } from '../lib/language.ts';
import { pageNumbers, type Search, searchHref } from '../lib/search.ts';
import { formatNumber, type Words } from '../lib/words.ts';

type Props = { search: Search; last: number; language: Language; words: Words; path?: string };

export function Pager({ search, last, language, words, path = '/' }: Props) {
  if (last <= 1) return null;
  const href = (page: number) => searchHref(search, { page }, path);
  const { page } = search;
  return (
    <nav className="pager" aria-label={words.pages}>
      {page > 1 ? (
        <Link href={href(page - 1)} rel="prev" prefetch={false} className="pager-step">
          <span aria-hidden="true">←</span> <span className="pager-word">{words.previous}</span>
        </Link>
      ) : (
        <span className="pager-step" aria-disabled="true">
          <span aria-hidden="true">←</span> <span className="pager-word">{words.previous}</span>
        </span>
      )}
      <ol>
        {pageNumbers(page, last).map((number, index) =>
          number === null ? (
            <li key={`gap-${index}`} className="pager-gap">
              …
            </li>
          ) : (
            <li key={number}>
              <Link
                href={href(number)}
                prefetch={false}
                aria-label={words.page(number)}
                aria-current={number === page ? 'page' : undefined}
              >
                {formatNumber(language, number)}
              </Link>
            </li>
          ),
        )}
      </ol>
      {page < last ? (
        <Link href={href(page + 1)} rel="next" prefetch={false} className="pager-step">
          <span className="pager-word">{words.next}</span> <span aria-hidden="true">→</span>
        </Link>
      ) : (
        <span className="pager-step" aria-disabled="true">
          <span className="pager-word">{words.next}</span> <span aria-hidden="true">→</span>
        </span>
      )}
    </nav>
  );
}
