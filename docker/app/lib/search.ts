export const PAGE_SIZE = 24;
export const SORTS = ['popular', 'rated', 'newest', 'name'] as const;
export type Sort = (typeof SORTS)[number];

/** What a visitor asked for; every field is already clean. */
export type Search = { q: string; category: string; sort: Sort; page: number };
export type Params = Record<string, string | string[] | undefined>;

const order: Record<Sort, string> = {
  popular: 't.votes DESC, t.id',
  rated: 't.rating DESC NULLS LAST, t.votes DESC, t.id',
  newest: 't.created_at DESC, t.id',
  name: 'lower(t.name), t.id',
};

function first(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** Reads an address's parameters; anything odd becomes the plain first page. */
export function readSearch(params: Params): Search {
  const page = Number(first(params.page));
  const sort = first(params.sort) as Sort;
  const category = first(params.category);
  return {
    q: first(params.q).replace(/\s+/g, ' ').trim().slice(0, 80),
    category: /^[a-z0-9-]{1,60}$/.test(category) ? category : '',
    sort: SORTS.includes(sort) ? sort : 'popular',
    page: Number.isInteger(page) && page >= 1 && page <= 100_000 ? page : 1,
  };
}

/** The address of a search, with only what differs from the plain first page. */
export function searchHref(search: Search, change: Partial<Search> = {}, path = '/'): string {
  const next = { ...search, ...change };
  const params = new URLSearchParams();
  if (next.q) params.set('q', next.q);
  if (next.category) params.set('category', next.category);
  if (next.sort !== 'popular') params.set('sort', next.sort);
  if (next.page > 1) params.set('page', String(next.page));
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

const accented = 'éèêàçùûôîïëâäöüñáíóú';
const plain = 'eeeacuuoiieaaounaiou';

/** What the database's fold_text() does: lower case, no accents, punctuation as spaces. */
export function foldText(value: string): string {
  return value
    .normalize('NFC')
    .toLowerCase()
    .replace(/[à-ÿ]/g, (letter) => plain[accented.indexOf(letter)] ?? letter)
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** Words as a tsquery: all of them, each the beginning of a word. '' when there is no word at all. */
export function toTsQuery(q: string): string {
  const words = foldText(q).split(' ').filter(Boolean).slice(0, 8);
  return words.map((word) => `'${word}':*`).join(' & ');
}

export type Statement = { text: string; values: unknown[] };

function conditions(search: Search): { where: string; values: unknown[]; orderBy: string } {
  const values: unknown[] = [];
  const parts: string[] = [];
  let orderBy = order[search.sort];
  if (search.category) {
    values.push(search.category);
    parts.push(`t.category_id = (SELECT id FROM categories WHERE slug = $${values.length})`);
  }
  if (search.q) {
    const query = toTsQuery(search.q);
    // Only signs, like "???": nothing can match, and an empty tsquery would only raise a notice.
    if (!query) return { where: 'WHERE false', values: [], orderBy };
    values.push(query);
    parts.push(
      `tool_document(t.name, t.tags, t.summary_en, t.summary_fr) @@ $${values.length}::tsquery`,
    );
    if (search.sort === 'popular') {
      values.push(foldText(search.q));
      orderBy = `strpos(fold_text(t.name), $${values.length}) = 1 DESC, ${orderBy}`;
    }
  }
  return { where: parts.length > 0 ? `WHERE ${parts.join(' AND ')}` : '', values, orderBy };
}

/** One page of tools. */
export function pageStatement(search: Search, size = PAGE_SIZE): Statement {
  const { where, values, orderBy } = conditions(search);
  const limit = values.length + 1;
  return {
    text: `SELECT t.id, t.name, t.slug, t.url, t.summary_en, t.summary_fr, t.pricing, t.rating::float8 AS rating,
  t.votes, t.featured, t.tags, t.logo_path, c.slug AS category, c.name_en AS category_en, c.name_fr AS category_fr
FROM (SELECT * FROM tools t ${where} ORDER BY ${orderBy} LIMIT $${limit} OFFSET $${limit + 1}) t
JOIN categories c ON c.id = t.category_id
ORDER BY ${orderBy}`,
    values: [...values, size, (search.page - 1) * size],
  };
}

/** How many tools match. */
export function countStatement(search: Search): Statement {
  const { where, values, orderBy } = conditions(search);
  // The order's own parameter is the last one, and a count has no order.
  const used = orderBy.includes('strpos') ? values.slice(0, -1) : values;
  return { text: `SELECT count(*)::integer AS total FROM tools t ${where}`, values: used };
}

/** Page numbers to offer: the ends, the neighbours, and null for a gap. */
export function pageNumbers(page: number, last: number): (number | null)[] {
  const wanted = [1, page - 1, page, page + 1, last].filter((n) => n >= 1 && n <= last);
  const numbers = [...new Set(wanted)].sort((a, b) => a - b);
  return numbers.flatMap((n, index) => {
    const before = numbers[index - 1];
    if (before === undefined || n - before === 1) return [n];
    return n - before === 2 ? [n - 1, n] : [null, n];
  });
}
