// Asks for a scrape of every tool whose website is stale, as far as one batch goes.
import { withDatabase } from './database/session.ts';
import { findStale } from './database/tools.ts';
import { type Run, runProgram } from './run-program.ts';

/**
 * One ask per tool and day: a scrape-all that is tried again, or runs twice, asks for nothing twice, and what failed
 * today may be asked for again tomorrow.
 */
async function scrapeAll({ job, settings, say }: Run): Promise<void> {
  const { rows, day } = await withDatabase(settings.databaseUrl, async (client) => ({
    rows: await findStale(client, settings.staleAfterMs, settings.batch),
    day: new Date().toISOString().slice(0, 10),
  }));
  for (const { id } of rows) {
    job.report({ type: 'enqueue', job: 'scrape', data: { tool: id }, idempotencyKey: `tool-${id}-${day}` });
  }
  job.report({ type: 'result', value: { enqueued: rows.length } });
  say(`asked for ${rows.length} scrapes`);
}

await runProgram(scrapeAll);
