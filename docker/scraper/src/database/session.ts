import { Client } from 'pg';
import { Problem, wordsOf } from '../problem.ts';

/** One connection for as long as `work` takes; nothing of ours keeps one open while a page loads. */
export async function withDatabase<Result>(
  url: string | undefined,
  work: (client: Client) => Promise<Result>,
) {
  if (!url) throw new Problem('cannot reach the database: DATABASE_URL is not set');
  const client = new Client({
    connectionString: url,
    application_name: 'scraper',
    connectionTimeoutMillis: 10_000,
    statement_timeout: 20_000,
    query_timeout: 25_000,
    lock_timeout: 10_000,
  });
  // Lost between two statements: the next one says so.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    throw new Problem(`cannot reach the database: ${wordsOf(error)}`);
  }
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
