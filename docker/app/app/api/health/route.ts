import { checkDatabase, reasonOf } from '../../../lib/database.ts';

export const dynamic = 'force-dynamic';

const TIMEOUT_MS = 2_000;

/** 200 while the database answers and has our tables, else 503 with the reason. */
export async function GET(): Promise<Response> {
  const started = performance.now();
  let database: { status: 'ok'; latencyMs: number } | { status: 'failed'; reason: string };
  try {
    const found = await checkDatabase(TIMEOUT_MS);
    const latencyMs = Math.round((performance.now() - started) * 10) / 10;
    database = found === 'ok' ? { status: 'ok', latencyMs } : { status: 'failed', reason: 'NO_TABLES' };
  } catch (error) {
    database = { status: 'failed', reason: reasonOf(error) };
  }
  const healthy = database.status === 'ok';
  return Response.json(
    { status: healthy ? 'ok' : 'unavailable', database, uptimeSeconds: Math.round(process.uptime()) },
    { status: healthy ? 200 : 503, headers: { 'Cache-Control': 'no-store' } },
  );
}
