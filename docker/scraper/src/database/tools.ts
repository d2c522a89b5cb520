import type { Client } from 'pg';

export interface Tool {
  readonly id: number;
  readonly name: string;
  readonly url: string | null;
}

/** What a visit found, ready to be kept. */
export interface Findings {
  readonly url: string;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly language: string | undefined;
  readonly written: { readonly en: string; readonly fr: string } | undefined;
  /** Paths below the assets folder; a missing logo leaves an older one in place. */
  readonly logo: string | undefined;
  readonly screenshot: string;
}

export async function findTool(client: Client, id: number): Promise<Tool | undefined> {
  return (await client.query<Tool>('SELECT id, name, url FROM tools WHERE id = $1', [id])).rows[0];
}

/** The first tool with this address. */
export async function findToolByUrl(client: Client, url: string): Promise<Tool | undefined> {
  const { rows } = await client.query<Tool>(
    'SELECT id, name, url FROM tools WHERE url = $1 ORDER BY id LIMIT 1',
    [url],
  );
  return rows[0];
}

/**
 * Keeps all that a visit found, or nothing. Gives the pictures that the tool shows from now on; undefined where the
 * tool is gone or has another address by now, and nothing was kept.
 */
export async function keepFindings(client: Client, tool: Tool, found: Findings) {
  await client.query('BEGIN');
  try {
    const { rows } = await client.query<{ logo_path: string | null; screenshot_path: string | null }>(
      `UPDATE tools SET logo_path = coalesce($3, logo_path), screenshot_path = $4
WHERE id = $1 AND url = $2 RETURNING logo_path, screenshot_path`,
      [tool.id, tool.url, found.logo ?? null, found.screenshot],
    );
    const [shown] = rows;
    if (shown) {
      await client.query(
        `INSERT INTO tool_sites (tool_id, url, title, description, language, written_en, written_fr, visited_at, tried_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, now(), now())
ON CONFLICT (tool_id) DO UPDATE SET url = excluded.url, title = excluded.title, description = excluded.description,
  language = excluded.language, written_en = coalesce(excluded.written_en, tool_sites.written_en),
  written_fr = coalesce(excluded.written_fr, tool_sites.written_fr), visited_at = excluded.visited_at,
  tried_at = excluded.tried_at, failures = 0, failure = NULL`,
        [
          tool.id,
          found.url,
          found.title ?? null,
          found.description ?? null,
          found.language ?? null,
          found.written?.en ?? null,
          found.written?.fr ?? null,
        ],
      );
    }
    await client.query('COMMIT');
    return shown;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/**
 * Remembers that a visit failed, so that scrape-all does not come back every time. The attempts of one job count as one
 * failure: they follow one another within hours.
 */
export async function keepFailure(client: Client, tool: Tool, failure: string): Promise<void> {
  await client.query(
    `INSERT INTO tool_sites (tool_id, url, tried_at, failures, failure)
SELECT id, url, now(), 1, $3 FROM tools WHERE id = $1 AND url = $2
ON CONFLICT (tool_id) DO UPDATE SET tried_at = now(), failure = excluded.failure, failures = tool_sites.failures +
  CASE WHEN tool_sites.failures = 0 OR tool_sites.tried_at < now() - interval '12 hours' THEN 1 ELSE 0 END`,
    [tool.id, tool.url, failure.slice(0, 500)],
  );
}

/**
 * Tools whose website was never seen, or not for so long; at most `batch`, those never seen first. After a failure a
 * day goes by before the next visit, then two, four, and so on up to a month.
 */
export async function findStale(client: Client, staleAfterMs: number, batch: number): Promise<Tool[]> {
  const { rows } = await client.query<Tool>(
    `SELECT t.id, t.name, t.url FROM tools t LEFT JOIN tool_sites s ON s.tool_id = t.id
WHERE t.url IS NOT NULL AND (
  s.tool_id IS NULL
  OR s.failures = 0 AND s.visited_at < now() - $1 * interval '1 millisecond'
  OR s.failures > 0 AND s.tried_at < now() - least(30, power(2, least(s.failures, 10) - 1)) * interval '1 day')
ORDER BY s.tried_at NULLS FIRST, t.votes DESC, t.id
LIMIT $2`,
    [staleAfterMs, batch],
  );
  return rows;
}

/** The paths of all pictures that tools show, and how many tools there are. */
export async function listShown(client: Client): Promise<{ tools: number; paths: Set<string> }> {
  const { rows } = await client.query<{ logo_path: string | null; screenshot_path: string | null }>(
    'SELECT logo_path, screenshot_path FROM tools',
  );
  const paths = rows.flatMap(({ logo_path, screenshot_path }) => [logo_path, screenshot_path]);
  return { tools: rows.length, paths: new Set(paths.filter((path) => path !== null)) };
}
