import Link from 'next/link';
import type { Language } from '../lib/language.ts';
import { inLanguage, type ToolCard as Card } from '../lib/tools.ts';
import { formatNumber, type Words } from '../lib/words.ts';
import { Logo } from './logo.tsx';
import { Rating } from './rating.tsx';

export function ToolCard({ tool, language, words }: { tool: Card; language: Language; words: Words }) {
  return (
    <li className="card">
      <Logo name={tool.name} picture={tool.logo} />
      <div className="card-head">
        <h2>
          <Link href={`/tools/${tool.slug}`} prefetch={false}>
            {tool.name}
          </Link>
        </h2>
        <p className="card-category">{inLanguage(language, tool.category_en, tool.category_fr)}</p>
      </div>
      {tool.featured && <span className="star-mark" title={words.featured} role="img" aria-label={words.featured} />}
      <p className="card-summary">{inLanguage(language, tool.summary_en, tool.summary_fr)}</p>
      <div className="card-foot">
        <span className={`pill pill-${tool.pricing}`}>{words.pricing[tool.pricing]}</span>
        <Rating rating={tool.rating} language={language} />
        <span className="votes">
          {formatNumber(language, tool.votes)} {words.votes}
        </span>
      </div>
    </li>
  );
}
