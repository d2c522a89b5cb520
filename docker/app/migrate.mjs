// Brings the database of DATABASE_URL up to date with migrations/*.sql, beside this file.
// Runs on every boot, so it loads nothing it does not need; says what it did in one line.
import { join } from 'node:path';
import { Client } from 'pg';
import { runner } from 'node-pg-migrate';

const started = performance.now();
const connectionString = process.env.DATABASE_URL;
if (!connectionString) {
  console.error('cannot migrate: DATABASE_URL is not set');
  process.exit(2);
}

const client = new Client({
  connectionString,
  application_name: 'migrate',
  connectionTimeoutMillis: 10_000,
  // A second migrator waits for the first, but never for ever.
  lock_timeout: 60_000,
});
client.on('error', (error) => {
  console.error(`cannot migrate: the connection was lost: ${error.message}`);
  process.exit(1);
});

try {
  await client.connect();
  const applied = await runner({
    dbClient: client,
    dir: join(import.meta.dirname, 'migrations'),
    direction: 'up',
    migrationsTable: 'pgmigrations',
    singleTransaction: true,
    advisoryLockMode: 'wait',
    logger: { info() {}, warn: console.warn, error: console.error },
  });
  const took = Math.round(performance.now() - started);
  const names = applied.map((migration) => migration.name).join(', ');
  console.log(names ? `migrations applied: ${names} (${took} ms)` : `migrations: nothing to do (${took} ms)`);
} catch (error) {
  console.error(`cannot migrate: ${error instanceof Error ? error.message || error.code : error}`);
  process.exitCode = 1;
} finally {
  await client.end().catch(() => {});
}
