import 'server-only';
import { Pool, type PoolConfig, type QueryResultRow } from 'pg';

/** Next bundles routes apart from one another; the process still has one pool. */
const shared = globalThis as typeof globalThis & { toolDirectoryPool?: Pool };

function poolSize(): number {
  const asked = Number(process.env.DATABASE_POOL_MAX);
  return Number.isInteger(asked) && asked > 0 ? asked : 5;
}

function openPool(): Pool {
  const config: PoolConfig = {
    max: poolSize(),
    connectionTimeoutMillis: 3_000,
    idleTimeoutMillis: 60_000,
    query_timeout: 10_000,
    statement_timeout: 8_000,
    keepAlive: true,
    application_name: 'app',
    ...(process.env.DATABASE_URL ? { connectionString: process.env.DATABASE_URL } : {}),
  };
  const pool = new Pool(config);
  // An idle connection dies when PostgreSQL restarts. Without a listener that would end the process.
  pool.on('error', (error) => console.warn(`database connection lost: ${error.message}`));
  return pool;
}

function pool(): Pool {
  shared.toolDirectoryPool ??= openPool();
  return shared.toolDirectoryPool;
}

/** The rows of one statement. A read is tried once more when its connection turns out to be dead. */
export async function readRows<Row extends QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
  try {
    return (await pool().query<Row>(text, values)).rows;
  } catch (error) {
    if (!isLostConnection(error)) throw error;
    return (await pool().query<Row>(text, values)).rows;
  }
}

/** Like readRows, for statements that change something: never tried twice. */
export async function writeRows<Row extends QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
  return (await pool().query<Row>(text, values)).rows;
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

function isLostConnection(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return codeOf(error) === '57P01' || codeOf(error) === 'ECONNRESET' || message.startsWith('Connection terminated');
}

/** True when a value that must be unique is already taken. */
export function isDuplicate(error: unknown): boolean {
  return codeOf(error) === '23505';
}

/** Why the database did not answer: a short code without addresses, fit for a public page. */
export function reasonOf(error: unknown): string {
  const code = codeOf(error);
  if (code) return code;
  return error instanceof Error && /timeout/i.test(error.message) ? 'TIMEOUT' : 'UNREACHABLE';
}

/** Runs `read`; on any database failure logs one line and returns null, so that a page can say so kindly. */
export async function unlessAway<Result>(read: () => Promise<Result>): Promise<Result | null> {
  try {
    return await read();
  } catch (error) {
    console.error(`cannot read from the database: ${reasonOf(error)} ${error instanceof Error ? error.message : ''}`);
    return null;
  }
}

/** Asks the database for proof of life and for our table, in at most `timeoutMs`. */
export async function checkDatabase(timeoutMs: number): Promise<'ok' | 'no_tables'> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('timeout'), { code: 'TIMEOUT' })), timeoutMs);
  });
  try {
    const asked = readRows<{ ready: boolean }>("SELECT to_regclass('public.tools') IS NOT NULL AS ready");
    asked.catch(() => {});
    const [row] = await Promise.race([asked, tooLong]);
    return row?.ready ? 'ok' : 'no_tables';
  } finally {
    clearTimeout(timer);
  }
}
