import { unlessAway } from '../../../lib/database.ts';
import { readSearch } from '../../../lib/search.ts';
import { findTools } from '../../../lib/tools.ts';

export const dynamic = 'force-dynamic';

const MOST = 100;

/** GET /api/tools?q=&category=&sort=&page=&per_page= (24, at most 100): one page of tools as JSON. */
export async function GET(request: Request): Promise<Response> {
  const params = Object.fromEntries(new URL(request.url).searchParams);
  const search = readSearch(params);
  const asked = Number(params.per_page ?? 24);
  const perPage = Number.isInteger(asked) ? Math.min(Math.max(asked, 1), MOST) : 24;
  const headers = { 'Cache-Control': 'no-store' };
  const found = await unlessAway(() => findTools(search, perPage));
  if (!found) return Response.json({ error: 'the database does not answer' }, { status: 503, headers });
  const { tools, total } = found;
  return Response.json(
    { total, page: search.page, perPage, pages: Math.max(1, Math.ceil(total / perPage)), tools },
    { headers },
  );
}
