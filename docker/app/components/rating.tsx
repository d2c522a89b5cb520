import type { Language } from '../lib/language.ts';

/** A star and the mark, like "★ 4.3"; nothing for a tool without one. */
export function Rating({ rating, language }: { rating: number | null; language: Language }) {
  if (rating === null) return null;
  const text = rating.toLocaleString(language, { minimumFractionDigits: 1 });
  return (
    <span className="rating" role="img" aria-label={`${text} / 5`}>
      <span aria-hidden="true">★</span> {text}
    </span>
  );
}
